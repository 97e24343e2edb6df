// `place`: which screen is shown, of what, and with which filter. The address holds all of it, so a link
// shows a colleague the same.

/** The screens, in the order of the rail; the key of each is its number. */
export const SCREENS = [
  { path: "/", name: "Pulse", icon: "◉" },
  { path: "/updates", name: "Updates", icon: "≡" },
  { path: "/path", name: "Path", icon: "⇢" },
  { path: "/sessions", name: "Sessions", icon: "▦" },
  { path: "/subscriptions", name: "Subscriptions", icon: "⋔" },
  { path: "/schema", name: "Schema", icon: "◫" },
  { path: "/explorer", name: "Explorer", icon: "❯" },
  { path: "/replication", name: "Replication", icon: "⟳" },
  { path: "/recordings", name: "Recordings", icon: "◎" },
];

/** The path below which the debugger is; empty at an address of its own. */
const BASE = document.documentElement.dataset.base ?? "";

/** Where a path of the debugger is for a browser. @param {string} path */
export function to(path) {
  return BASE + path;
}

/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {() => void} listener */
export function listen(listener) {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** What the address says. */
export function here() {
  const [, screen = "", of = ""] = location.pathname.slice(BASE.length).split("/");
  const query = new URLSearchParams(location.search);
  return { screen, of: decodeURIComponent(of), filter: query.get("filter") ?? "", state: query.get("state") ?? "", by: query.get("by") ?? "", at: query.get("at") ?? "" };
}

/**
 * Goes to a place.
 *
 * @param {string} path
 * @param {"push" | "replace"} how
 */
export function go(path, how = "push") {
  const address = to(path);
  if (how === "replace") {
    history.replaceState(null, "", address);
  } else {
    history.pushState(null, "", address);
  }
  for (const listener of listeners) {
    listener();
  }
}

addEventListener("popstate", () => {
  for (const listener of listeners) {
    listener();
  }
});

// A link to a screen does not load the page anew.
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const inside = link?.origin === location.origin && link.pathname.startsWith(`${BASE}/`);
  if (link !== null && plain && inside && link.target === "" && !event.defaultPrevented) {
    event.preventDefault();
    go(link.pathname.slice(BASE.length) + link.search);
  }
});

/**
 * @param {string} filter
 * @param {string} by by what they are put together
 */
export function updatesAt(filter, by = "") {
  const query = new URLSearchParams({ ...(filter === "" ? {} : { filter }), ...(by === "" ? {} : { by }) });
  return query.size === 0 ? "/updates" : `/updates?${query}`;
}

/**
 * @param {string} name
 * @param {number | undefined} update
 * @param {string} filter
 */
export function recordingAt(name, update = undefined, filter = "") {
  const query = new URLSearchParams({ ...(update === undefined ? {} : { at: String(update) }), ...(filter === "" ? {} : { filter }) });
  return `/recordings/${encodeURIComponent(name)}${query.size === 0 ? "" : `?${query}`}`;
}
