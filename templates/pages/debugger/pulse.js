// Pulse: whether the app keeps up, from Postgres to every client.

import { html } from "./vendor/htm-preact.js";
import { Answer, Bars, Chart, Nothing } from "./parts.js";
import { SessionGrid } from "./grid.js";
import { to } from "./place.js";
import { count, plural, rate, size, span } from "./words.js";
import { ask, useAnswer, useLooker } from "./use.js";

const STAGES = {
  visible: ["Postgres", "read from the log and visible to a new snapshot"],
  matched: ["Match", "found out whom it concerns"],
  told: ["Outbox", "put into the outboxes of those whom it concerns"],
  sent: ["Socket", "written to the sockets of clients"],
  confirmed: ["Client", "handled by clients, as they say"],
};

export function Pulse() {
  const overview = useAnswer("/api/overview");
  const grid = useAnswer("/api/grid");
  return html`<${Answer} answer=${overview}>${(/** @type {any} */ it) => shown(it, grid.ok)}</${Answer}>`;
}

/**
 * @param {any} overview
 * @param {any} grid
 */
function shown(overview, grid) {
  const { sessions, memory } = overview;
  return html`
    <h1 class="unseen">Pulse</h1>
    <ol class="stages" aria-label="The way of a commit">
      ${overview.stages.map((/** @type {any} */ stage) => {
        const [name, does] = STAGES[/** @type {keyof typeof STAGES} */ (stage.name)];
        return html`<li title=${does}>
          <p class="name">${name}</p>
          <p class="rate"><b>${rate(stage.per_second)}</b> <small>per second</small></p>
          <p class="times"><span>p50 <b>${span(stage.p50_us)}</b></span><span>p99 <b>${span(stage.p99_us)}</b></span></p>
          ${stage.waiting === null ? null : html`<p class="depth"><b>${count(stage.waiting)}</b> ${stage.name === "sent" ? "wait to be written" : "wait to be confirmed"}</p>`}
          <p class="ever">${count(stage.total)} since start</p>
        </li>`;
      })}
    </ol>
    <div class="pulse">
      <div class="column">
        <${Chart} title="Commits" note="each of the last 60 seconds" heads=${["Seconds ago", "Commits"]} rows=${bySecond(overview.commits_per_second)}>
          <${Bars} values=${overview.commits_per_second} label="Commits in each of the last 60 seconds" unit="commits" />
        </${Chart}>
        <${Chart} title="Deliveries" note="each of the last 60 seconds" heads=${["Seconds ago", "Deliveries"]} rows=${bySecond(overview.deliveries_per_second)}>
          <${Bars} values=${overview.deliveries_per_second} label="Deliveries in each of the last 60 seconds" unit="deliveries" />
        </${Chart}>
        <${Chart}
          title="Sessions"
          note=${`${count(sessions.all)}: ${count(sessions.live)} live, ${count(sessions.behind)} behind, ${count(sessions.offline)} offline`}
          heads=${["State", "Sessions"]}
          rows=${[["live", sessions.live], ["behind", sessions.behind], ["offline", sessions.offline]]}
        >
          ${sessions.all === 0
            ? html`<${Nothing} title="No client yet"><p>Open a page of the app: its session shows up here.</p></${Nothing}>`
            : grid && html`<${SessionGrid} grid=${grid} />`}
        </${Chart}>
      </div>
      <div class="column">
        <section class="panel">
          <h2>Problems</h2>
          ${overview.problems.length === 0
            ? html`<p class="good"><span aria-hidden="true">✓</span> None</p>`
            : html`<ul class="problems">
                ${overview.problems.map((/** @type {any} */ it) => html`<li><p>${it.sentence}</p><p class="action">${it.action}</p></li>`)}
              </ul>`}
        </section>
        <section class="panel">
          <h2>Commits</h2>
          ${memory.updates === 0
            ? html`<${Nothing} title="No commit yet">
                <p>Change a row, in the app or with <code>blazelink db psql</code>: its way is drawn here.</p>
              </${Nothing}>`
            : html`<p>${plural(memory.updates, "update is", "updates are")} remembered, in ${size(memory.bytes)} of ${size(memory.limit)}. <a href=${to("/updates")}>Show them</a></p>`}
          <p class="loss">${lost(memory)}</p>
          <${FollowAll} sample=${memory.sample} />
        </section>
      </div>
    </div>
  `;
}

/** Has every update be followed, for operators. @param {{sample: number}} of */
function FollowAll({ sample }) {
  const looker = useLooker();
  if (sample === 1 || looker?.role !== "operator") {
    return null;
  }
  const all = () => ask("/api/sample", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ one_in: 1 }) });
  return html`<p><button onClick=${all}>follow every update</button></p>`;
}

/** What is remembered no more, or never was. @param {any} memory */
export function lost(memory) {
  const parts = [];
  parts.push(memory.discarded === 0 ? "Nothing was let go" : `${plural(memory.discarded, "older update was", "older updates were")} let go`);
  if (memory.sample > 1) {
    parts.push(`one update in ${count(memory.sample)} is followed, and what is out of the ordinary`);
  }
  if (memory.passed > 0) {
    parts.push(`${plural(memory.passed, "was", "were")} not followed`);
  }
  if (memory.lost > 0) {
    parts.push(`${plural(memory.lost, "record", "records")} found no room`);
  }
  return `${parts.join(" · ")}.`;
}

/** @param {number[]} values */
function bySecond(values) {
  return values.map((value, at) => [values.length - 1 - at, value]).reverse();
}
