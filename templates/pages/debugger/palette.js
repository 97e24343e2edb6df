// The palette: whatever the pages can do or show, found by a few letters of its name. Ctrl K opens it, in
// inputs too.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { SCREENS, go, updatesAt } from "./place.js";
import { useAnswer } from "./use.js";

const SHOWN = 12;

/**
 * What typing leads to that is in no list: an update by its number, a session by its label, a filter.
 *
 * @param {string} text
 * @returns {{name: string, does: () => void}[]}
 */
function typed(text) {
  const asked = text.trim();
  if (/^\d+$/.test(asked)) {
    return [{ name: `Update ${asked}`, does: () => go(`/path/${asked}`) }];
  }
  if (/^s_[0-9a-f]+$/.test(asked)) {
    return [{ name: `Session ${asked}`, does: () => go(`/sessions/${asked}`) }];
  }
  return /^\w+[:<>]./.test(asked) ? [{ name: `Updates with ${asked}`, does: () => go(updatesAt(asked)) }] : [];
}

/** @param {{acts: {name: string, does: () => void}[], close: () => void}} of */
export function Palette({ acts, close }) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const { ok } = useAnswer("/api/sessions?limit=50");
  useEffect(() => dialog.current?.showModal(), []);
  const all = [
    ...typed(text),
    ...SCREENS.map((screen) => ({ name: screen.name, does: () => go(screen.path) })),
    ...acts,
    ...(ok?.sessions ?? []).map((/** @type {any} */ it) => ({ name: `Session ${it.session}`, does: () => go(`/sessions/${it.session}`) })),
  ];
  const words = text.toLowerCase().split(/\s+/);
  const exact = typed(text).length;
  const found = all.filter(({ name }, at) => at < exact || words.every((word) => name.toLowerCase().includes(word))).slice(0, SHOWN);
  const at = Math.min(chosen, found.length - 1);
  const run = (/** @type {number} */ which) => {
    dialog.current?.close();
    found[which]?.does();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    const by = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (by !== undefined) {
      event.preventDefault();
      setChosen(Math.max(0, Math.min(found.length - 1, at + by)));
    }
  };
  return html`<dialog class="palette" ref=${dialog} onClose=${close} aria-label="What to do">
    <form onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      run(at);
    }} onKeyDown=${onKey}>
      <input
        role="combobox"
        aria-label="What to do"
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant=${at < 0 ? undefined : `found-${at}`}
        value=${text}
        onInput=${(/** @type {any} */ event) => {
          setText(event.target.value);
          setChosen(0);
        }}
        placeholder="A screen, a session, a number of an update, a filter …"
        spellcheck=${false}
        autocomplete="off"
      />
    </form>
    <ul id="found" role="listbox" aria-label="Found">
      ${found.map((it, which) => html`<li id=${`found-${which}`} role="option" aria-selected=${which === at ? "true" : "false"} onClick=${() => run(which)}>${it.name}</li>`)}
    </ul>
    <p class="sum" role="status">${found.length === 0 ? "Nothing is called so" : ""}</p>
  </dialog>`;
}
