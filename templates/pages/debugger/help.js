// Which key does what.

import { html, useEffect, useRef } from "./vendor/htm-preact.js";
import { SCREENS, to } from "./place.js";

const KEYS = [
  ["/", "filter updates"],
  ["j  k", "choose the next, the previous"],
  ["Enter", "open what is chosen"],
  ["Esc", "back"],
  ["[  ]", "the update before, after"],
  ["Space", "hold what is shown, go on"],
  ["p", "keep an update, or no longer"],
  ["w", "why did a session hear of a row, or not"],
  ["r", "record, and stop"],
  ["v", "charts as tables, and back"],
  ["y", "copy a link to what is shown"],
  ["t", "light or dark"],
  ["Ctrl K", "find a screen, a session, an act"],
  ["?", "this"],
];

/** @param {{close: () => void, keys: boolean, setKeys: (on: boolean) => void}} of */
export function Help({ close, keys, setKeys }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => dialog.current?.showModal(), []);
  return html`<dialog class="help" ref=${dialog} onClose=${close} aria-labelledby="help">
    <header><h2 id="help">Keys</h2><button onClick=${() => dialog.current?.close()} aria-label="Close">✕</button></header>
    <dl>
      ${SCREENS.map((screen, at) => html`<div><dt><kbd>${at + 1}</kbd></dt><dd>${screen.name}</dd></div>`)}
      ${KEYS.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}
    </dl>
    <p>What the pages know is there for programs too: <a href=${to("/docs")} target="_self">the HTTP API</a>, and <code>blazelink debug</code> in a terminal.</p>
    <label><input type="checkbox" checked=${keys} onChange=${(/** @type {any} */ event) => setKeys(event.target.checked)} /> Single keys are on</label>
  </dialog>`;
}
