// What components use: answers that stay current, the place, and what is chosen on this page.

import { useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { authorization } from "./key.js";
import { live } from "./live.js";
import { to, here, listen } from "./place.js";

/** Draws the component again whenever `listen` says so. @param {(listener: () => void) => () => void} listen */
function useListening(listen) {
  const [, again] = useState({});
  useEffect(() => listen(() => again({})), []);
}

/**
 * An answer of the API, for as long as the component is there.
 *
 * @param {string} get
 * @returns {{ok?: any, error?: string, waiting?: boolean}}
 */
export function useAnswer(get) {
  useListening((listener) => live.listen(listener));
  useEffect(() => live.want(get), [get]);
  return live.answers.get(get) ?? { waiting: true };
}

/** How the stream does. */
export function useLive() {
  useListening((listener) => live.listen(listener));
  return live;
}

/** Which screen is shown. */
export function usePlace() {
  useListening(listen);
  return here();
}

/**
 * A dialog and what it is of, if it is open. A browser says that one has closed a moment after it has: by then the
 * next one may be open, and is left alone.
 */
export function useDialog() {
  const [{ number, of }, set] = useState({ number: 0, of: /** @type {any} */ (undefined) });
  return {
    number,
    of,
    open: (/** @type {any} */ of) => set((last) => ({ number: last.number + 1, of })),
    close: (/** @type {number} */ number) => set((last) => (last.number === number ? { number, of: undefined } : last)),
  };
}

/** The time, every second. */
export function useNow() {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/**
 * Calls this for every key that is typed outside of inputs and dialogs. What hears at the window hears what nobody
 * took who hears at the document.
 *
 * @param {(key: string) => boolean | void} typed says whether the key was its
 * @param {EventTarget} at
 */
export function useKeys(typed, at = document) {
  // Effects run after the next frame: somebody types faster than that.
  const latest = useRef(typed);
  latest.current = typed;
  useEffect(() => {
    /** @param {any} event */
    function onKey(event) {
      const target = /** @type {Element} */ (event.target);
      // What has closed may have the focus until the next frame.
      const inInput = target.matches("input, textarea, select") && target.closest("dialog:not([open])") === null;
      // A dialog's keys are its own.
      if (document.querySelector("dialog[open]") !== null || (inInput && event.key !== "Escape") || event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) {
        return;
      }
      if (latest.current(event.key) === true) {
        event.preventDefault();
      }
    }
    at.addEventListener("keydown", onKey);
    return () => at.removeEventListener("keydown", onKey);
  }, []);
}

/** @type {Promise<{ok?: any}> | undefined} */
let looker;

/** Who looks, and as what; nothing until that is known. @returns {{name: string, role: string} | undefined} */
export function useLooker() {
  const [known, setKnown] = useState(/** @type {any} */ (undefined));
  useEffect(() => {
    looker ??= ask("/api/looker");
    looker.then(({ ok }) => {
      if (ok === undefined) {
        looker = undefined;
      }
      setKnown(ok);
    });
  }, []);
  return known;
}

/**
 * Asks the API once.
 *
 * @param {string} path
 * @param {RequestInit} init
 * @returns {Promise<{ok?: any, error?: string}>}
 */
export async function ask(path, init = {}) {
  const headers = { ...authorization(), ...init.headers };
  try {
    const response = await fetch(to(path), { ...init, headers, cache: "no-store" });
    const answer = await response.json();
    return response.ok ? { ok: answer } : { error: answer.error };
  } catch {
    return { error: "The app does not answer" };
  }
}
