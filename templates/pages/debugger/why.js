// The Why drawer: why a session did, or did not, hear of a row, in one sentence, and what that was found
// out from.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { to } from "./place.js";
import { ask, useAnswer } from "./use.js";

/**
 * @param {{of: {session: string, object: string, at: string}, close: () => void}} of
 */
export function Why({ of, close }) {
  const [question, setQuestion] = useState(of);
  const [answer, setAnswer] = useState(/** @type {{ok?: any, error?: string} | undefined} */ (undefined));
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const { ok: sessions } = useAnswer("/api/sessions?limit=50");
  const put = async (/** @type {typeof of} */ question) => {
    const { session, object, at } = question;
    const asked = new URLSearchParams({ session, object, ...(at === "" ? {} : { at }) });
    setAnswer(await ask(`/api/why?${asked}`));
  };
  useEffect(() => {
    dialog.current?.showModal();
    if (of.session !== "" && of.object !== "") {
      put(of);
    }
  }, []);
  const field = (/** @type {"session" | "object" | "at"} */ name) => (/** @type {any} */ event) => setQuestion({ ...question, [name]: event.target.value.trim() });
  return html`<dialog class="why" ref=${dialog} onClose=${close} aria-labelledby="why">
    <header><h2 id="why">Why did a session hear of a row, or not?</h2><button onClick=${() => dialog.current?.close()} aria-label="Close">✕</button></header>
    <form onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      put(question);
    }}>
      <label>Session <input required value=${question.session} onInput=${field("session")} list="labels" placeholder="s_0009f2" spellcheck=${false} autocomplete="off" /></label>
      <datalist id="labels">${(sessions?.sessions ?? []).map((/** @type {any} */ it) => html`<option value=${it.session}>${it.state}</option>`)}</datalist>
      <label>Row <input required value=${question.object} onInput=${field("object")} placeholder="game_event:17" spellcheck=${false} autocomplete="off" /></label>
      <label>Commit <input value=${question.at} onInput=${field("at")} placeholder="the newest that has changed it" spellcheck=${false} autocomplete="off" /></label>
      <button>Ask</button>
    </form>
    <div aria-live="polite">
      ${answer?.error === undefined ? null : html`<p class="wrong">${answer.error}</p>`}
      ${answer?.ok === undefined
        ? null
        : html`<p class="verdict ${answer.ok.answer}">${answer.ok.sentence}</p>
            <ul class="evidence">${answer.ok.evidence.map((/** @type {string} */ it) => html`<li>${it}</li>`)}</ul>
            ${answer.ok.update === null ? null : html`<p><a href=${to(`/path/${answer.ok.update}`)} onClick=${() => dialog.current?.close()}>Update ${answer.ok.update}</a> shows its way.</p>`}
            <p class="twin"><code>blazelink why ${question.session} ${question.object}${question.at === "" ? "" : ` --at ${question.at}`}</code> says the same.</p>`}
    </div>
  </dialog>`;
}
