// Schema: the tables that the app exposes, where their fields lead, and who sees what of them.

import { html, useEffect, useState } from "./vendor/htm-preact.js";
import { Answer, Chart, Nothing } from "./parts.js";
import { plural } from "./words.js";
import { useAnswer } from "./use.js";

const NODE = { width: 168, height: 46 };

export function Schema() {
  const answer = useAnswer("/api/schema");
  return html`
    <h1>Schema <small>what the app exposes, and to whom</small></h1>
    <${Answer} answer=${answer}>${(/** @type {any} */ ok) => html`<${Tables} tables=${ok.tables} />`}</${Answer}>
  `;
}

/** @param {{tables: any[]}} of */
function Tables({ tables }) {
  const [chosen, setChosen] = useState("");
  if (tables.length === 0) {
    return html`<${Nothing} title="No table is exposed"><p><code>blazelink generate entity</code> adds one.</p></${Nothing}>`;
  }
  const shown = tables.find((it) => it.name === chosen) ?? tables[0];
  const relations = tables.flatMap((table) => table.relations.map((/** @type {any} */ it) => [table.name, it.name, it.target, it.many ? "many" : "one"]));
  return html`
    <${Chart} title="Relations" heads=${["Table", "Field", "Leads to", "How many"]} rows=${relations}>
      <${Graph} tables=${tables} chosen=${shown.name} choose=${setChosen} />
    </${Chart}>
    <div class="schema">
      <nav class="chips" aria-label="Tables">
        ${tables.map((it) => html`<button aria-pressed=${it === shown ? "true" : "false"} onClick=${() => setChosen(it.name)}>${it.name}</button>`)}
      </nav>
      <section class="panel" aria-live="polite">
        <h2>${shown.name} <small>${shown.table ?? "virtual: it is nothing in Postgres"}</small></h2>
        <p class="policy"><b>Who sees it</b> ${shown.policy}</p>
        ${shown.columns.length === 0 ? null : html`<h3>${plural(shown.columns.length, "column", "columns")}</h3>`}
        <ul class="fields">
          ${shown.columns.map((/** @type {any} */ it) => html`<li class=${it.hidden ? "hidden" : ""}>
            <code>${it.name}</code> <span>${it.sql_type}</span>
            ${[it.key && "key", it.nullable && "may be null", it.hidden && "never leaves the server"].filter(Boolean).map((word) => html` <small>${word}</small>`)}
          </li>`)}
        </ul>
        ${shown.relations.length === 0 ? null : html`<h3>Relations</h3>`}
        <ul class="fields">
          ${shown.relations.map((/** @type {any} */ it) => html`<li><code>${it.name}</code> <span>${it.many ? "many" : "one"}</span> <button class="small" onClick=${() => setChosen(it.target)}>${it.target}</button></li>`)}
        </ul>
        ${shown.computed.length === 0 ? null : html`<h3>Computed</h3>`}
        <ul class="fields">
          ${shown.computed.map((/** @type {any} */ it) => html`<li><code>${it.name}</code> <small>${it.reads.length === 0 ? "reads what it asks for" : `reads ${it.reads.join(", ")}`}</small></li>`)}
        </ul>
      </section>
    </div>
  `;
}

/** @param {{tables: any[], chosen: string, choose: (name: string) => void}} of */
function Graph({ tables, chosen, choose }) {
  const [dagre, setDagre] = useState(/** @type {any} */ (undefined));
  useEffect(() => {
    import("./vendor/dagre.js").then((module) => setDagre(module));
  }, []);
  if (dagre === undefined) {
    return html`<p class="asking">Drawing …</p>`;
  }
  const graph = new dagre.Graph({ multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 70, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name } of tables) {
    graph.setNode(name, { ...NODE });
  }
  for (const { name, relations } of tables) {
    for (const { target, many } of relations) {
      // A pair of relations that lead to and fro is one line.
      if (!graph.hasEdge(target, name) && !(many && graph.hasEdge(name, target))) {
        graph.setEdge(name, target);
      }
    }
  }
  dagre.layout(graph);
  const { width, height } = graph.graph();
  return html`<div class="graph" tabindex="0" role="region" aria-label="Tables and where they lead">
    <svg viewBox="0 0 ${width} ${height}" width=${width} height=${height} role="img" aria-label=${`${tables.length} tables; the table view lists where each leads`}>
      ${graph.edges().map((/** @type {any} */ edge) => {
        const { points } = graph.edge(edge);
        const lit = edge.v === chosen || edge.w === chosen;
        return html`<polyline class=${lit ? "edge lit" : "edge"} points=${points.map((/** @type {any} */ at) => `${at.x},${at.y}`).join(" ")} />`;
      })}
      ${tables.map((table) => {
        const { x, y } = graph.node(table.name);
        return html`<g class=${`node${table.name === chosen ? " chosen" : ""}${table.table === null ? " virtual" : ""}`} onClick=${() => choose(table.name)}>
          <rect x=${x - NODE.width / 2} y=${y - NODE.height / 2} width=${NODE.width} height=${NODE.height} rx="7" />
          <text x=${x} y=${y - 3} text-anchor="middle">${table.name}</text>
          <text x=${x} y=${y + 14} text-anchor="middle" class="sub">${table.table === null ? "virtual" : plural(table.columns.length, "column", "columns")}</text>
        </g>`;
      })}
    </svg>
  </div>`;
}
