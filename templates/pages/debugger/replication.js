// Replication: how the app stands with Postgres.

import { html } from "./vendor/htm-preact.js";
import { Answer, Nothing, Table } from "./parts.js";
import { size } from "./words.js";
import { useAnswer } from "./use.js";

export function Replication() {
  const answer = useAnswer("/api/replication");
  return html`
    <h1>Replication <small>how the app follows its database</small></h1>
    <${Answer} answer=${answer}>${shown}</${Answer}>
  `;
}

/** @param {any} ok */
function shown(ok) {
  return html`
    <p class="health">${ok.health}</p>
    <dl class="facts">
      <div><dt>Postgres</dt><dd>${ok.server}</dd></div>
      <div><dt>Log written up to</dt><dd><code>${ok.written}</code></dd></div>
      <div><dt>Handed on up to</dt><dd><code>${ok.handed_on}</code></dd></div>
      <div><dt>Between them</dt><dd>${size(ok.behind)}</dd></div>
    </dl>
    <section class="panel">
      <h2>Slots of this database</h2>
      ${ok.slots.length === 0
        ? html`<${Nothing} title="There is no slot"><p>The app makes one when it starts.</p></${Nothing}>`
        : html`<${Table} name="Slots" heads=${["Slot", "Read by somebody", "Lasting", "Confirmed up to", "Holds back", "Room left", "State"]} numbers=${[4, 5]} rows=${ok.slots.map((/** @type {any} */ it) => ({
            key: it.name,
            cells: [it.name, it.active ? "yes" : html`<b class="bad">no</b>`, it.temporary ? "no" : "yes", html`<code>${it.confirmed ?? "–"}</code>`, size(it.held), it.left === null ? "no limit" : size(it.left), it.state ?? "–"],
          }))} />`}
    </section>
    <div class="two">
      <section class="panel">
        <h2>Tables</h2>
        <${Table} name="Published tables" heads=${["Table", "In the publication", "Of a row before"]} rows=${ok.tables.map((/** @type {any} */ it) => ({
          key: it.name,
          cells: [it.name, it.published ? "yes" : html`<b class="bad">no</b>`, it.identity === "full" ? "all of it" : it.identity === "nothing" ? html`<b class="bad">nothing</b>` : `its ${it.identity}`],
        }))} />
      </section>
      <section class="panel">
        <h2>Settings</h2>
        <${Table} name="Settings" heads=${["Setting", "Value"]} rows=${ok.settings.map((/** @type {any} */ it) => ({ key: it.name, cells: [html`<code>${it.name}</code>`, it.value] }))} />
      </section>
    </div>
  `;
}
