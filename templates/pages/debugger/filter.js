// `Filter`: the terms that an update must meet, typed as in the terminal: `table:game op:insert`.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";

const TERMS = ["table:", "row:", "op:insert", "op:update", "op:delete", "session:", "cause:", "since:5m", "lag>100ms", "outcome:denied", "outcome:merged", "outcome:reset", "outcome:slow", "outcome:waiting", "outcome:confirmed", "outcome:nobody"];

/**
 * @param {{value: string, wrong?: string, set: (filter: string) => void, known: string[]}} of
 */
export function Filter({ value, wrong, set, known }) {
  const [text, setText] = useState(value);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => setText(value), [value]);
  const before = text.slice(0, text.lastIndexOf(" ") + 1);
  return html`<form
    class="filter"
    role="search"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      set(text.trim());
    }}
  >
    <label for="filter">Filter</label>
    <input
      id="filter"
      ref=${input}
      list="terms"
      autocomplete="off"
      spellcheck=${false}
      placeholder="table:game_event outcome:denied since:5m"
      aria-invalid=${wrong === undefined ? "false" : "true"}
      aria-describedby=${wrong === undefined ? undefined : "wrong"}
      value=${text}
      onInput=${(/** @type {any} */ event) => setText(event.target.value)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && input.current?.blur()}
    />
    <datalist id="terms">${[...known, ...TERMS].map((term) => html`<option value=${before + term}></option>`)}</datalist>
    <button>Show</button>
    ${value === "" ? null : html`<button type="button" onClick=${() => set("")}>All</button>`}
    ${wrong === undefined ? null : html`<p id="wrong" class="wrong" role="alert">${wrong}</p>`}
  </form>`;
}
