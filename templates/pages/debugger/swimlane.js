// `Swimlane`: the way of an update to one session, a lane for each place and time going down.

import { html } from "./vendor/htm-preact.js";
import { span } from "./words.js";

const LANE = 104;
const STEP = 40;
const TOP = 30;

/** @param {{way: any[]}} of */
export function Swimlane({ way }) {
  const width = LANE * way.length;
  const height = TOP + STEP * way.length;
  const x = (/** @type {number} */ at) => LANE * at + LANE / 2;
  const y = (/** @type {number} */ at) => TOP + STEP * at + 12;
  const sentences = way.map((hop) => `${hop.place}, ${span(hop.at_us)}: ${hop.sentence}`).join("; ");
  return html`<div class="swimlane" tabindex="0" role="region" aria-label="The way to the one session">
    <svg viewBox="0 0 ${width} ${height}" width=${width} height=${height} role="img" aria-label=${sentences}>
      <defs>
        <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="head" /></marker>
      </defs>
      ${way.map(
        (hop, at) => html`<g>
          <line x1=${x(at)} x2=${x(at)} y1=${TOP - 6} y2=${height} class="lane" />
          <text x=${x(at)} y="16" class="place" text-anchor="middle">${hop.place}</text>
        </g>`,
      )}
      ${way.map((hop, at) => {
        const previous = at === 0 ? undefined : way[at - 1];
        const took = previous === undefined || hop.at_us === null || previous.at_us === null ? undefined : hop.at_us - previous.at_us;
        return html`<g>
          <title>${hop.sentence}</title>
          ${previous === undefined
            ? null
            : html`<line x1=${x(at - 1)} y1=${y(at - 1)} x2=${x(at)} y2=${y(at)} class=${hop.at_us === null ? "hop missing" : "hop"} marker-end="url(#head)" />
                ${took === undefined ? null : html`<text x=${(x(at - 1) + x(at)) / 2 + 8} y=${(y(at - 1) + y(at)) / 2 - 6} class="took">${span(took)}</text>`}`}
          <circle cx=${x(at)} cy=${y(at)} r="4" class=${hop.at_us === null ? "missing" : ""} />
        </g>`;
      })}
    </svg>
  </div>`;
}
