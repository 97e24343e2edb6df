// Explorer: a query put to the app as a session sees it, what it depends on, what it ran, and each change of its
// answer while it is live.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { Nothing, Table } from "./parts.js";
import { to } from "./place.js";
import { Query } from "./query.js";
import { count, plural, span } from "./words.js";
import { ask, useAnswer } from "./use.js";

/** Queries that are remembered, in this browser. */
const REMEMBERED = 20;

const TABS = ["Watches", "Statements"];

/** @returns {{query: string, variables: string}[]} */
function remembered() {
  try {
    return JSON.parse(localStorage.getItem("queries") ?? "[]");
  } catch {
    return [];
  }
}

/** @param {{query: string, variables: string}} asked */
function remember(asked) {
  const others = remembered().filter((it) => it.query !== asked.query);
  localStorage.setItem("queries", JSON.stringify([asked, ...others].slice(0, REMEMBERED)));
}

/** The first page of the first table. @param {any} schema */
function suggestion(schema) {
  const table = schema?.tables.find((/** @type {any} */ it) => it.table !== null);
  if (table === undefined) {
    return "{\n  __typename\n}";
  }
  const names = table.columns.filter((/** @type {any} */ it) => !it.hidden).slice(0, 4).map((/** @type {any} */ it) => it.name);
  return `{\n  ${table.root}(page: 0, size: 5) {\n    count\n    items { row { ${names.join(" ")} } }\n  }\n}`;
}

export function Explorer() {
  const { ok: schema } = useAnswer("/api/schema");
  const { ok: sessions } = useAnswer("/api/sessions?limit=50");
  const [before] = useState(remembered);
  const [query, setQuery] = useState(before[0]?.query ?? "");
  const [variables, setVariables] = useState(before[0]?.variables ?? "{}");
  const [of, setOf] = useState("");
  const [live, setLive] = useState(false);
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(/** @type {any} */ (undefined));
  const [error, setError] = useState("");
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const text = query === "" && schema !== undefined && document.activeElement !== field.current ? suggestion(schema) : query;

  const run = async (/** @type {string | undefined} */ name, /** @type {number | undefined} */ because) => {
    let given;
    try {
      given = JSON.parse(variables.trim() || "{}");
    } catch {
      setError("The variables are no JSON");
      return;
    }
    setBusy(true);
    setError("");
    const body = { query: text, variables: given, as: of || undefined, live: name };
    const answer = await ask("/api/explore", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    setBusy(false);
    if (answer.ok === undefined) {
      setError(answer.error ?? "");
      setShown(undefined);
      return;
    }
    remember({ query: text, variables });
    const lines = JSON.stringify(answer.ok.answer, null, 2).split("\n");
    setShown((/** @type {any} */ last) => ({ ...answer.ok, asked: body, lines, before: because === undefined ? undefined : last?.lines, because }));
  };
  // Another query, or another viewer, is another session's; who guesses its name could listen to it.
  const fresh = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-");
  const start = () => run(live ? fresh() : undefined, undefined);
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      start();
    }
  };
  return html`
    <h1>Explorer <small>a query, as a session sees it</small></h1>
    <form class="explorer" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      start();
    }} onKeyDown=${onKey}>
      <${Query} text=${text} set=${setQuery} field=${field} />
      <div class="asking-as">
        <label>Variables <textarea value=${variables} onInput=${(/** @type {any} */ event) => setVariables(event.target.value)} spellcheck=${false} rows="4"></textarea></label>
        <label>As the viewer of <input value=${of} onInput=${(/** @type {any} */ event) => setOf(event.target.value.trim())} list="viewers" placeholder="nobody in particular" spellcheck=${false} autocomplete="off" /></label>
        <datalist id="viewers">${(sessions?.sessions ?? []).map((/** @type {any} */ it) => html`<option value=${it.session}>${it.viewer}, ${it.state}</option>`)}</datalist>
        ${before.length < 2
          ? null
          : html`<label>Asked before <select onChange=${(/** @type {any} */ event) => {
              const chosen = before[Number(event.target.value)];
              if (chosen !== undefined) {
                setQuery(chosen.query);
                setVariables(chosen.variables);
              }
            }}>
              ${before.map((it, at) => html`<option value=${at}>${it.query.replace(/\s+/g, " ").slice(0, 60)}</option>`)}
            </select></label>`}
        <p class="run">
          <button disabled=${busy}>${busy ? "Asking …" : "Run"}</button> <kbd>Ctrl Enter</kbd>
          <label class="check"><input type="checkbox" checked=${live} onChange=${(/** @type {any} */ event) => setLive(event.target.checked)} /> live</label>
        </p>
      </div>
    </form>
    ${error === "" ? null : html`<p class="wrong" role="alert">${error}</p>`}
    ${shown === undefined
      ? html`<${Nothing} title="Nothing asked yet"><p>Its answer is shown here, with what makes it be told again and the statements that it became.</p></${Nothing}>`
      : html`<${Shown} of=${shown} />`}
    ${live && shown?.session != null ? html`<${Live} key=${shown.asked.live} session=${shown.session} again=${(/** @type {number} */ update) => run(shown.asked.live, update)} />` : null}
  `;
}

/** @param {{of: any}} of */
function Shown({ of }) {
  const [tab, setTab] = useState(0);
  const dependencies = of.reads.flatMap((/** @type {any} */ read) => read.dependencies.map((/** @type {any} */ it) => ({ ...it, object: read.object })));
  const counts = [dependencies.length, of.statements.length];
  return html`<div class="two">
    <section class="panel">
      <h2>Answer <small>${of.status}, ${span(of.took_us)}, as ${of.viewer === "known" ? `the viewer of ${of.asked.as}` : "nobody in particular"}${of.because === undefined ? "" : html`; again because of <a href=${to(`/path/${of.because}`)}>update ${of.because}</a>`}</small></h2>
      <pre class="answer" tabindex="0" aria-label="The answer">${of.lines.map((/** @type {string} */ line) => (of.before === undefined || of.before.includes(line) ? `${line}\n` : html`<ins>${line}</ins>${"\n"}`))}</pre>
    </section>
    <section class="panel">
      <div class="chips" role="tablist" aria-label="What it means to the app">
        ${TABS.map(
          (name, at) => html`<button role="tab" id=${`tab-${at}`} aria-controls="tab" aria-selected=${at === tab ? "true" : "false"} onClick=${() => setTab(at)}>${name} <b>${count(counts[at] ?? 0)}</b></button>`,
        )}
      </div>
      <div role="tabpanel" id="tab" aria-labelledby=${`tab-${tab}`}>
        ${tab === 0
          ? html`<${Table}
              name="What it watches"
              heads=${["Read", "Told again by", "Found by", "Role"]}
              rows=${dependencies.map((/** @type {any} */ it, /** @type {number} */ at) => ({ key: String(at), cells: [it.object, it.words, html`<span class="tier ${it.tier}">${it.tier}</span>`, it.role] }))}
            />`
          : html`<ol class="statements">${of.statements.map((/** @type {any} */ it) => html`<li><p class="sum">${span(it.took_us)}, ${plural(it.rows, "row", "rows")}</p><pre tabindex="0" aria-label="A statement">${it.sql}</pre></li>`)}</ol>`}
      </div>
    </section>
  </div>`;
}

/** Asks again whenever the session is told something. @param {{session: string, again: (update: number) => void}} of */
function Live({ session, again }) {
  const { ok } = useAnswer(`/api/updates?limit=1&filter=${encodeURIComponent(`session:${session}`)}`);
  const newest = ok?.updates[0]?.number;
  const seen = useRef(/** @type {number | undefined} */ (undefined));
  useEffect(() => {
    if (ok !== undefined && newest !== undefined && newest !== seen.current) {
      seen.current = newest;
      again(newest);
    }
  }, [newest]);
  return html`<p class="said" role="status">Live, as <a href=${to(`/sessions/${session}`)}>${session}</a>: ${newest === undefined ? "nothing of it has changed yet" : `update ${newest} changed it last`}</p>`;
}
