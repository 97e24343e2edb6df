// Updates: a line for each transaction, the newest first.

import { html, useEffect, useState } from "./vendor/htm-preact.js";
import { Filter } from "./filter.js";
import { lost } from "./pulse.js";
import { Answer, Nothing, Table } from "./parts.js";
import { to, go, updatesAt } from "./place.js";
import { ago, causeOf, changed, count, span } from "./words.js";
import { ask, useAnswer, useKeys, useNow } from "./use.js";

const SHOWN = 40;

const GROUPS = { "": "each", change: "by what they changed", cause: "by what has made them" };

/** @param {{filter: string, by: string}} of */
export function Updates({ filter, by }) {
  const [older, setOlder] = useState(/** @type {number[]} */ ([]));
  useEffect(() => setOlder([]), [filter]);
  const before = older.length === 0 ? "" : `&before=${older.at(-1)}`;
  const answer = useAnswer(`/api/updates?limit=${SHOWN}&filter=${encodeURIComponent(filter)}${before}`);
  const { ok: overview } = useAnswer("/api/overview");
  const updates = answer.ok?.updates ?? [];
  const tables = new Set(updates.flatMap((/** @type {any} */ it) => it.tables.map((/** @type {any} */ of) => `table:${of.table}`)));
  return html`
    <h1>Updates <small>a line for each commit</small></h1>
    <${Filter} value=${filter} wrong=${answer.error} known=${[...tables]} set=${(/** @type {string} */ text) => go(updatesAt(text, by))} />
    <nav class="chips" aria-label="Put together">
      ${Object.entries(GROUPS).map(([of, name]) => html`<a href=${to(updatesAt(filter, of))} aria-current=${of === by ? "page" : undefined}>${name}</a>`)}
    </nav>
    ${by === ""
      ? html`<${Answer} answer=${answer}>${(/** @type {any} */ ok) => html`<${List} ok=${ok} filter=${filter} />`}</${Answer}>`
      : html`<${Groups} key=${by} filter=${filter} by=${by} />`}
    <nav class="pages" aria-label="Pages of updates">
      ${by !== "" ? null : older.length === 0 ? null : html`<button onClick=${() => setOlder(older.slice(0, -1))}>Newer</button>`}
      ${by === "" && typeof answer.ok?.next === "number" ? html`<button onClick=${() => setOlder([...older, answer.ok.next])}>Older</button>` : null}
      ${overview === undefined ? null : html`<p class="loss">${lost(overview.memory)}</p>`}
    </nav>
  `;
}

/** Those that go together, in numbers. @param {{filter: string, by: string}} of */
function Groups({ filter, by }) {
  const answer = useAnswer(`/api/summary?by=${by}&filter=${encodeURIComponent(filter)}`);
  const row = (/** @type {any} */ it) => [it.what, count(it.updates), count(it.told), count(it.denied), count(it.merged), count(it.confirmed), span(it.p50_us), span(it.p99_us)];
  return html`<${Answer} answer=${answer}>
    ${(/** @type {any} */ { all, kinds }) => html`<${Table}
      name="Updates in groups"
      heads=${[by === "cause" ? "Made by" : "Changed", "Updates", "Told", "Denied", "Merged or reset", "Handled", "p50", "p99"]}
      numbers=${[1, 2, 3, 4, 5, 6, 7]}
      rows=${[...kinds, all].map((it) => ({ key: it.what, cells: row(it), dim: it === all }))}
    />`}
  </${Answer}>`;
}

/** @param {{ok: any, filter: string}} of */
function List({ ok, filter }) {
  const now = useNow();
  const { updates } = ok;
  const [chosen, setChosen] = useState(/** @type {number | undefined} */ (undefined));
  const at = updates.findIndex((/** @type {any} */ it) => it.number === chosen);
  const move = (/** @type {number} */ by) => {
    const next = updates[at < 0 ? 0 : Math.min(updates.length - 1, Math.max(0, at + by))];
    setChosen(next?.number);
  };
  useKeys((key) => {
    switch (key) {
      case "j":
      case "ArrowDown":
        move(1);
        return true;
      case "k":
      case "ArrowUp":
        move(-1);
        return true;
      case "Enter":
        if (at >= 0) {
          go(`/path/${chosen}`);
          return true;
        }
        return;
      case "p":
        if (at >= 0) {
          pin(updates[at]);
          return true;
        }
    }
  });
  if (updates.length === 0) {
    return filter === ""
      ? html`<${Nothing} title="No commit yet"><p>Change a row, in the app or with <code>blazelink db psql</code>.</p></${Nothing}>`
      : html`<${Nothing} title="None of these">
          <p>${count(ok.searched)} updates were looked at, and ${filter.includes(" ") ? "all terms must hold" : `none of them is ${filter}`}. <a href=${to("/updates")}>Show all</a></p>
        </${Nothing}>`;
  }
  return html`<${Table}
    name="Updates"
    heads=${["Update", "Ago", "Cause", "Changed", "Told", "Handled", "Slowest", "Out of the ordinary"]}
    numbers=${[1, 4, 5, 6]}
    chosen=${at < 0 ? undefined : at}
    rows=${updates.map((/** @type {any} */ it) => ({
      key: String(it.number),
      href: `/path/${it.number}`,
      cells: [
        html`${it.pinned ? html`<span title="kept">★ </span>` : null}${it.number}`,
        ago(it.told_at_ms, now),
        causeOf(it),
        changed(it.tables),
        count(it.funnel.told),
        html`<${Handled} of=${it.funnel} />`,
        span(it.slowest_us),
        it.flags.map((/** @type {string} */ flag) => html`<span class="flag ${flag}">${flag}</span> `),
      ],
    }))}
  />`;
}

/** How many of those that were told have handled it. @param {{of: any}} funnel */
function Handled({ of }) {
  const part = of.told === 0 ? 0 : (100 * of.confirmed) / of.told;
  return html`<span class="handled"><meter min="0" max="100" value=${part} aria-label=${`${of.confirmed} of ${of.told} have handled it`}></meter> ${count(of.confirmed)}</span>`;
}

/** Keeps an update, or no longer. @param {any} update */
export function pin(update) {
  return ask(`/api/updates/${update.number}/pin`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ pinned: !update.pinned }),
  });
}
