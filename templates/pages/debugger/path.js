// Path: one transaction, from its cause to every client that was told.

import { html, useState } from "./vendor/htm-preact.js";
import { Because } from "./because.js";
import { Multiples } from "./multiples.js";
import { Answer, Bars, Chart, Nothing, State, Table } from "./parts.js";
import { to, go } from "./place.js";
import { Swimlane } from "./swimlane.js";
import { asText, save } from "./takeaway.js";
import { causeOf, changed, count, plural, span } from "./words.js";
import { pin } from "./updates.js";
import { useAnswer, useKeys } from "./use.js";

const FIRST_BUCKET_US = 64;

/** The newest, if none is named. @param {{of: string, why: (of: any) => void}} of */
export function Path({ of, why }) {
  return of === "" ? html`<${Newest} why=${why} />` : html`<${One} number=${Number(of)} why=${why} />`;
}

/** @param {{why: (of: any) => void}} of */
function Newest({ why }) {
  const answer = useAnswer("/api/updates?limit=1");
  return html`<${Answer} answer=${answer}>
    ${(/** @type {any} */ { updates: [newest] }) =>
      newest === undefined
        ? html`<h1>Path</h1><${Nothing} title="No commit yet"><p>Change a row, in the app or with <code>blazelink db psql</code>: its way is drawn here.</p></${Nothing}>`
        : html`<${One} number=${newest.number} why=${why} />`}
  </${Answer}>`;
}

/** @param {{number: number, why: (of: any) => void}} of */
function One({ number, why }) {
  const answer = useAnswer(`/api/updates/${number}`);
  const update = answer.ok?.update;
  useKeys((key) => {
    switch (key) {
      case "[":
        go(`/path/${Math.max(1, number - 1)}`);
        return true;
      case "]":
        go(`/path/${number + 1}`);
        return true;
      case "p":
        if (update !== undefined) {
          pin(update);
        }
        return true;
      case "Escape":
        go("/updates");
        return true;
    }
  });
  return html`
    <header class="path">
      <h1>Update ${number}</h1>
      <nav aria-label="Other updates">
        <a class="button" href=${to(`/path/${Math.max(1, number - 1)}`)} aria-label="The update before">‹ before</a>
        <a class="button" href=${to(`/path/${number + 1}`)} aria-label="The update after">after ›</a>
        ${update === undefined ? null : html`<button aria-pressed=${update.pinned ? "true" : "false"} onClick=${() => pin(update)}>${update.pinned ? "★ kept" : "☆ keep"}</button>`}
        ${answer.ok === undefined ? null : html`<${TakeAway} path=${answer.ok} />`}
        <a class="button" href=${to("/updates")}>all updates</a>
      </nav>
    </header>
    <${Answer} answer=${answer}>${(/** @type {any} */ ok) => shown(ok, why)}</${Answer}>
  `;
}

/**
 * Everything that became of a transaction; of one that was recorded, without asking the app that runs about it.
 *
 * @param {any} path
 * @param {((of: any) => void) | undefined} why
 */
export function shown(path, why = undefined) {
  const { update, way, changes, deliveries } = path;
  return html`
    <dl class="facts">
      <div><dt>Cause</dt><dd>${causeOf(update)}</dd></div>
      <div><dt>Changed</dt><dd>${changed(update.tables)}</dd></div>
      <div><dt>Committed</dt><dd>${update.committed_at}</dd></div>
      <div><dt>Commit</dt><dd><code>${update.lsn}</code></dd></div>
      <div><dt>Transaction</dt><dd><code>${update.xid}</code></dd></div>
    </dl>
    <div class="two">
      <div class="column">
        <${Funnel} of=${update.funnel} number=${update.number} />
        <${Chart} title="Handled after" note="clients by the time they took" heads=${["Up to", "Clients"]} rows=${path.histogram.map((/** @type {number} */ clients, /** @type {number} */ at) => [span(FIRST_BUCKET_US * 2 ** at), clients])}>
          ${path.histogram.some(Boolean)
            ? html`<${Bars} values=${path.histogram} label="Clients by the time until they had handled it" unit="clients" height=${72} />
                <p class="axis"><span>${span(FIRST_BUCKET_US)}</span><span>${span(FIRST_BUCKET_US * 2 ** (path.histogram.length - 1))} and more</span></p>`
            : html`<p class="sum">Nobody has handled it yet</p>`}
        </${Chart}>
        <${Because} path=${path} />
      </div>
      <div class="column">
        <${Chart} title="Way" heads=${["Where", "After", "What"]} rows=${way.map((/** @type {any} */ hop) => [hop.place, span(hop.at_us), hop.sentence])}>
          ${deliveries.length === 1 ? html`<${Swimlane} way=${way} />` : html`<${Waterfall} way=${way} />`}
        </${Chart}>
        <section class="panel">
          <h2>Rows <small>${plural(update.funnel.changed, "changed", "changed")}</small></h2>
          ${changes.length === 0 ? html`<p>A table as a whole</p>` : null}
          <ul class="changes" tabindex="0" aria-label="Rows that changed">
            ${changes.map(
              (/** @type {any} */ change) => html`<li>
                <p><span class="kind ${change.kind}">${change.kind}</span> <code>${change.object}</code></p>
                <p class="columns">${change.columns.map(column)}</p>
              </li>`,
            )}
          </ul>
        </section>
        ${deliveries.length > 1 && deliveries.length === update.funnel.told
          ? html`<${Chart} title="Each session" note="on one scale" heads=${["Session", "Written after", "Handled after"]} rows=${deliveries.map((/** @type {any} */ it) => [it.session, span(it.sent_us), span(it.confirmed_us)])}>
              <${Multiples} deliveries=${deliveries} linked=${why !== undefined} />
            </${Chart}>`
          : null}
      </div>
    </div>
    <${Deliveries} path=${path} why=${why} />
  `;
}

/** Its way as text or as a file. @param {{path: any}} of */
function TakeAway({ path }) {
  const [said, say] = useState("copy as text");
  const copy = () => navigator.clipboard.writeText(asText(path)).then(() => say("copied"), () => say("cannot be copied here"));
  return html`<button onClick=${copy} onBlur=${() => say("copy as text")}>${said}</button><button onClick=${() => save(path)}>save without values</button>`;
}

/** @param {any} of */
function column(of) {
  const value = (/** @type {string | null} */ text) => (text === null ? "–" : text);
  const shown = of.masked ? html`<span class="masked" title="Values are masked: [debugger] values">▒▒▒</span>` : html`${of.before === null ? null : html`<del>${of.before}</del> `}<ins>${value(of.after)}</ins>`;
  return html`<span class="column"><span>${of.column}</span> ${shown}</span> `;
}

/** How many got how far. @param {{of: any, number: number}} of */
function Funnel({ of, number }) {
  const steps = [
    [of.changed === 1 ? "row changed" : "rows changed", of.changed],
    [of.candidates === 1 ? "subscription looked at" : "subscriptions looked at", of.candidates],
    ["kept from a viewer by policy", of.denied],
    [of.told === 1 ? "session told" : "sessions told", of.told],
    ["merged or reset in an outbox", of.merged],
    ["written to a socket", of.sent],
    ["handled by the client", of.confirmed],
    ...(of.others === 0 ? [] : [["told too, and not followed", of.others]]),
  ];
  const most = Math.max(1, of.told, of.candidates);
  const losses = [2, 4];
  return html`<${Chart} title="Funnel" heads=${["Step", "Count"]} rows=${steps}>
    <ul class="funnel" aria-label=${`How far update ${number} got`}>
      ${steps.map(([name, value], at) => {
        const part = at === 0 ? 0 : Math.min(100, (100 * value) / most);
        return losses.includes(at) && value === 0
          ? null
          : html`<li class=${losses.includes(at) ? "loss" : ""}>
              <span class="value">${count(value)}</span><span class="name">${name}</span>
              ${at === 0 ? null : html`<svg class="track" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="6" class="ground" /><rect width=${part} height="6" /></svg>`}
            </li>`;
      })}
    </ul>
  </${Chart}>`;
}

/** When it was where: a bar for each step. @param {{way: any[]}} of */
function Waterfall({ way }) {
  const end = Math.max(1, ...way.map((hop) => hop.at_us ?? 0));
  let from = 0;
  const bars = way.map((hop) => {
    const to = hop.at_us ?? from;
    const bar = { hop, from, to };
    from = Math.max(from, to);
    return bar;
  });
  const longest = Math.max(...bars.map((bar) => bar.to - bar.from));
  return html`<ol class="waterfall">
    ${bars.map(
      ({ hop, from, to }) => html`<li>
        <span class="place">${hop.place}</span>
        <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
          <rect width="100" height="10" class="ground" />
          <rect x=${(100 * from) / end} width=${Math.max(0.6, (100 * (to - from)) / end)} height="10" class=${to - from === longest && longest > 0 ? "critical" : ""} />
        </svg>
        <span class="at">${span(hop.at_us)}</span>
        <span class="sentence">${hop.sentence}</span>
      </li>`,
    )}
  </ol>`;
}

/**
 * Which row of a commit to ask about for a session: one that it was told itself, else the first, since
 * what it was told of is then what it watches and not what has changed.
 *
 * @param {{objects: string[]}} delivery
 * @param {{object: string}[]} changes
 */
function rowFor({ objects }, changes) {
  return (changes.find(({ object }) => objects.includes(object)) ?? changes[0])?.object ?? objects[0] ?? "";
}

/** @param {{path: any, why?: (of: any) => void}} of */
function Deliveries({ path, why }) {
  const { deliveries, update } = path;
  const [chosen, setChosen] = useState(-1);
  const choose = (/** @type {number} */ at) => setChosen(Math.max(0, Math.min(deliveries.length - 1, at)));
  const ask = (/** @type {any} */ it) => why?.({ session: it.session, object: rowFor(it, path.changes), at: update.lsn });
  useKeys((key) => {
    if (key === "j" || key === "k") {
      choose(chosen + (key === "j" ? 1 : -1));
      return true;
    }
    if (key === "Enter" && why !== undefined && deliveries[chosen] !== undefined) {
      go(`/sessions/${deliveries[chosen].session}`);
      return true;
    }
    if (key === "w" && why !== undefined && deliveries[chosen] !== undefined) {
      ask(deliveries[chosen]);
      return true;
    }
  });
  if (deliveries.length === 0) {
    return html`<section class="panel"><h2>Sessions</h2><${Nothing} title="No session was told">
      <p>None watches what has changed, or their viewers may not see it. ${why === undefined ? null : html`<button onClick=${() => why({ session: "", object: path.changes[0]?.object ?? "", at: update.lsn })}>Why?</button>`}</p>
    </${Nothing}></section>`;
  }
  const { told: of, others } = update.funnel;
  const more = others === 0 ? "" : `; ${plural(others, "more is", "more are")} not followed`;
  return html`<section class="panel">
    <h2>Sessions <small>${deliveries.length < of ? `the slowest ${deliveries.length} of ${count(of)}` : plural(of, "was told", "were told")}${more}</small></h2>
    <${Table}
      name="Sessions that were told"
      heads=${["Session", "State", "Sent after", "Handled after", "Told of", why && "Why"].filter(Boolean)}
      numbers=${[2, 3]}
      chosen=${chosen < 0 ? undefined : chosen}
      rows=${deliveries.map((/** @type {any} */ it) => ({
        key: it.session,
        href: why && `/sessions/${it.session}`,
        cells: [
          it.session,
          html`<${State} of=${it.state} />`,
          span(it.sent_us),
          span(it.confirmed_us),
          it.objects.join(", "),
          why && html`<button class="small" onClick=${() => ask(it)} aria-label=${`Why ${it.session} did or did not hear of it`}>why</button>`,
        ].filter((cell) => cell !== undefined),
      }))}
    />
  </section>`;
}
