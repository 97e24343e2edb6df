// Subscriptions: what sessions watch, by shape, and what that costs.

import { html } from "./vendor/htm-preact.js";
import { Answer, Nothing, Table } from "./parts.js";
import { count, plural } from "./words.js";
import { useAnswer } from "./use.js";

export function Subscriptions() {
  const answer = useAnswer("/api/subscriptions");
  return html`
    <h1>Subscriptions <small>what sessions watch, by shape</small></h1>
    <${Answer} answer=${answer}>${shown}</${Answer}>
  `;
}

/** @param {any} ok */
function shown(ok) {
  if (ok.shapes.length === 0) {
    return html`<${Nothing} title="Nobody watches anything"><p>Open a page of the app that shows rows.</p></${Nothing}>`;
  }
  const most = Math.max(...ok.shapes.map((/** @type {any} */ it) => it.dependencies));
  return html`
    <p class="sum">${plural(ok.dependencies, "dependency", "dependencies")} of all sessions${ok.sessions < ok.of ? `; ${count(ok.sessions)} of ${count(ok.of)} sessions were looked at` : ""}.</p>
    <${Table}
      name="Shapes of subscriptions"
      heads=${["Shape", "Precision", "Sessions", "Dependencies", "Share", "Role", "What it costs"]}
      numbers=${[2, 3]}
      rows=${ok.shapes.map((/** @type {any} */ it) => ({
        key: `${it.shape} ${it.role}`,
        cells: [
          it.shape,
          html`<span class="tier ${it.tier}">${it.tier}</span>`,
          count(it.sessions),
          count(it.dependencies),
          html`<meter min="0" max=${most} value=${it.dependencies} aria-label=${`${it.dependencies} of at most ${most}`}></meter>`,
          it.role,
          it.tier === "table" || it.tier === "everything" ? html`<span class="lint">${it.cost}: a filter by a column makes it precise</span>` : it.cost,
        ],
      }))}
    />
  `;
}
