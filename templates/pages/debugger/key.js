// The debugger's key: it comes behind the `#` of the address that `blazelink dev` prints, where no
// server sees it, and stays with this tab. It is sent as a header and never as a cookie, which every
// port of this machine would be sent.

const PLACE = "blazelink-debugger-key";

/** Takes the key out of the address, so that a copied link has none. */
export function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given !== null) {
    setKey(given);
    history.replaceState(null, "", location.pathname + location.search);
  }
}

/** @param {string} key */
export function setKey(key) {
  sessionStorage.setItem(PLACE, key.trim());
}

/** What a request says of it. */
export function authorization() {
  return { authorization: `Bearer ${sessionStorage.getItem(PLACE) ?? ""}` };
}
