// The field in which a query is typed, with what may stand at its cursor below it.

import { html, useEffect, useState } from "./vendor/htm-preact.js";
import { INTROSPECTION, completions, schemaOf } from "./completion.js";
import { ask } from "./use.js";

const SHOWN = 10;

/** The app's schema, once somebody needs it. @type {Promise<import("./completion.js").Schema | undefined> | undefined} */
let schema;

async function introspect() {
  const body = JSON.stringify({ query: INTROSPECTION });
  const { ok } = await ask("/api/explore", { method: "POST", headers: { "content-type": "application/json" }, body });
  return ok?.answer?.data == null ? undefined : schemaOf(ok.answer.data);
}

/** @param {{text: string, set: (text: string) => void, field: {current: HTMLTextAreaElement | null}}} of */
export function Query({ text, set, field }) {
  const [known, setKnown] = useState(/** @type {import("./completion.js").Schema | undefined} */ (undefined));
  const [found, setFound] = useState({ names: /** @type {string[]} */ ([]), begun: 0 });
  const [chosen, setChosen] = useState(-1);
  useEffect(() => {
    schema ??= introspect();
    schema.then(setKnown);
  }, []);
  const close = () => {
    setFound({ names: [], begun: 0 });
    setChosen(-1);
  };
  const look = (/** @type {boolean} */ asked) => {
    const at = field.current?.selectionStart;
    if (known === undefined || at === undefined || at === null) {
      return;
    }
    const found = completions(field.current?.value.slice(0, at) ?? "", known);
    setFound(asked || found.begun > 0 ? { ...found, names: found.names.slice(0, SHOWN) } : { names: [], begun: 0 });
    setChosen(asked ? 0 : -1);
  };
  useEffect(() => {
    // Somebody has typed before it was known.
    if (document.activeElement === field.current) {
      look(false);
    }
  }, [known]);
  const take = (/** @type {string | undefined} */ name) => {
    const area = field.current;
    if (name === undefined || area === null) {
      return;
    }
    // At once: somebody types faster than the next frame comes.
    area.setRangeText(name, area.selectionStart - found.begun, area.selectionStart, "end");
    set(area.value);
    close();
    area.focus();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      look(true);
      return;
    }
    if (found.names.length === 0 || event.ctrlKey || event.metaKey) {
      return;
    }
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp": {
        event.preventDefault();
        const by = event.key === "ArrowDown" ? 1 : -1;
        setChosen(Math.max(0, Math.min(found.names.length - 1, chosen + by)));
        return;
      }
      case "Enter":
        if (chosen >= 0) {
          event.preventDefault();
          take(found.names[chosen]);
        }
        return;
      case "Escape":
        event.stopPropagation();
        close();
    }
  };
  return html`<div class="query">
    <label for="query">Query</label>
    <textarea
      id="query"
      ref=${field}
      value=${text}
      onInput=${(/** @type {any} */ event) => {
        set(event.target.value);
        look(false);
      }}
      onKeyDown=${onKey}
      onBlur=${close}
      aria-autocomplete="list"
      aria-controls="may-follow"
      aria-activedescendant=${chosen < 0 ? undefined : `may-follow-${chosen}`}
      spellcheck=${false}
      autocapitalize="off"
      autocomplete="off"
      rows="11"
    ></textarea>
    <ul id="may-follow" role="listbox" aria-label="What may follow">
      ${found.names.map(
        (name, at) => html`<li
          id=${`may-follow-${at}`}
          role="option"
          aria-selected=${at === chosen ? "true" : "false"}
          onMouseDown=${(/** @type {Event} */ event) => {
            event.preventDefault();
            take(name);
          }}
        >${name}</li>`,
      )}
    </ul>
    <p class="sum"><kbd>Ctrl Space</kbd> says what may follow</p>
  </div>`;
}
