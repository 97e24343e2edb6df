/**
 * Calls `run` when waiting has become pointless: the page is looked at again, or the browser says
 * that there is a network. Neither says that the server can be reached; only a frame does.
 *
 * Returns the function that ends it. Outside a browser it does nothing.
 */
export function onWakeup(run: () => void): () => void {
  if (typeof document === "undefined" || typeof window === "undefined") {
    return () => {};
  }
  const whenVisible = () => {
    if (document.visibilityState === "visible") {
      run();
    }
  };
  const whenRestored = (event: PageTransitionEvent) => {
    if (event.persisted) {
      run();
    }
  };
  document.addEventListener("visibilitychange", whenVisible);
  window.addEventListener("online", run);
  window.addEventListener("pageshow", whenRestored);
  return () => {
    document.removeEventListener("visibilitychange", whenVisible);
    window.removeEventListener("online", run);
    window.removeEventListener("pageshow", whenRestored);
  };
}
