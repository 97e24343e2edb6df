// What several screens are made of: tables, charts with their table, states in which nothing is shown.

import { to } from "./place.js";
import { count } from "./words.js";
import { html, useEffect, useState } from "./vendor/htm-preact.js";

/** Whether charts are shown as tables; `v` turns it. */
export const twin = {
  tables: false,
  /** @type {Set<() => void>} */
  listeners: new Set(),
  turn() {
    twin.tables = !twin.tables;
    for (const listener of twin.listeners) {
      listener();
    }
  },
};

/**
 * A picture and the same as a table.
 *
 * @param {{title: string, heads: string[], rows: any[][], children?: any, note?: string}} of
 */
export function Chart({ title, heads, rows, children, note }) {
  const [, again] = useState({});
  useEffect(() => {
    const listener = () => again({});
    twin.listeners.add(listener);
    return () => {
      twin.listeners.delete(listener);
    };
  }, []);
  return html`<section class="panel">
    <h2>${title}${note === undefined ? null : html` <small>${note}</small>`}</h2>
    ${twin.tables ? html`<${Table} heads=${heads} rows=${rows.map((cells, at) => ({ key: String(at), cells }))} name=${title} />` : children}
  </section>`;
}

/**
 * Rows below their heads. The chosen row has the focus when the keys have chosen it.
 *
 * @param {{heads: string[], rows: {key: string, cells: any[], href?: string, dim?: boolean}[], name: string, chosen?: number, numbers?: number[]}} of
 */
export function Table({ heads, rows, name, chosen, numbers = [] }) {
  const kind = (/** @type {number} */ at) => (numbers.includes(at) ? "number" : undefined);
  return html`<div class="table" tabindex="0" role="region" aria-label=${name}>
    <table>
      <thead><tr>${heads.map((head, at) => html`<th scope="col" class=${kind(at)}>${head}</th>`)}</tr></thead>
      <tbody>
        ${rows.map(
          (row, at) => html`<tr key=${row.key} class=${[at === chosen && "chosen", row.dim && "dim"].filter(Boolean).join(" ")} aria-current=${at === chosen ? "true" : undefined}>
            ${row.cells.map(
              (cell, column) => html`<td class=${kind(column)}>
                ${column === 0 && row.href !== undefined ? html`<a href=${to(row.href)}>${cell}</a>` : cell}
              </td>`,
            )}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/**
 * Bars side by side, the last one the newest.
 *
 * @param {{values: number[], label: string, unit: string, height?: number}} of
 */
export function Bars({ values, label, unit, height = 56 }) {
  const most = Math.max(1, ...values);
  const width = 100 / values.length;
  return html`<figure class="bars">
    <svg viewBox="0 0 100 ${height}" preserveAspectRatio="none" height=${height} role="img" aria-label=${label}>
      <line x1="0" x2="100" y1=${height - 0.5} y2=${height - 0.5} class="ground" />
      ${values.map((value, at) => {
        const tall = value === 0 ? 0 : Math.max(2, (value / most) * (height - 2));
        return html`<rect x=${at * width + width * 0.1} width=${width * 0.8} y=${height - tall} height=${tall}>
          <title>${count(value)} ${unit}</title>
        </rect>`;
      })}
    </svg>
    <figcaption><span>highest ${count(Math.max(0, ...values))} ${unit}</span></figcaption>
  </figure>`;
}

/** A state of a session: a colour, a shape and a word. @param {{of: string}} state */
export function State({ of }) {
  const shapes = { live: "●", behind: "◆", offline: "○", confirmed: "●", sent: "◐", waiting: "◆", reset: "✕", merged: "⊕" };
  return html`<span class="state ${of}"><span aria-hidden="true">${shapes[/** @type {keyof typeof shapes} */ (of)] ?? "·"}</span> ${of}</span>`;
}

/**
 * What was read, and what is watched for it.
 *
 * @param {{reads: any[], why?: (object: string) => any}} of
 */
export function Reads({ reads, why }) {
  return html`<ul class="reads">
    ${reads.map(
      (read) => html`<li>
        <p><code>${read.object}</code> ${why?.(read.object)}</p>
        <ul>${read.dependencies.map((/** @type {any} */ it) => html`<li><span class="tier ${it.tier}">${it.tier}</span> ${it.words} <small>${it.role}</small></li>`)}</ul>
      </li>`,
    )}
  </ul>`;
}

/**
 * What is shown where there is nothing to show.
 *
 * @param {{title: string, children?: any}} of
 */
export function Nothing({ title, children }) {
  return html`<div class="nothing"><p class="title">${title}</p>${children}</div>`;
}

/**
 * An answer once it is there, and before that and without it what is known.
 *
 * @param {{answer: {ok?: any, error?: string}, children: (ok: any) => any}} of
 */
export function Answer({ answer, children }) {
  if (answer.error !== undefined) {
    return html`<${Nothing} title=${answer.error} />`;
  }
  return answer.ok === undefined ? html`<p class="asking" role="status">Asking the app …</p>` : children(answer.ok);
}
