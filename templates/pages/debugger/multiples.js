// `Multiples`: the way of an update to each of a few sessions, drawn small and on one scale, so that who was
// late stands out.

import { html } from "./vendor/htm-preact.js";
import { State } from "./parts.js";
import { to } from "./place.js";
import { span } from "./words.js";

const WIDTH = 200;
const MIDDLE = 9;

/**
 * @param {{deliveries: any[], linked: boolean}} of
 */
export function Multiples({ deliveries, linked }) {
  const end = Math.max(1, ...deliveries.map((it) => it.confirmed_us ?? it.sent_us ?? 0));
  const x = (/** @type {number} */ micros) => 4 + ((WIDTH - 8) * micros) / end;
  return html`
    <ul class="multiples" tabindex="0" aria-label="The way to each session">
      ${deliveries.map((it) => {
        const { session, state, sent_us: sent, confirmed_us: confirmed } = it;
        const words = `written after ${span(sent)}, handled after ${span(confirmed)}`;
        return html`<li key=${session} title=${words}>
          <p>${linked ? html`<a href=${to(`/sessions/${session}`)}>${session}</a>` : html`<code>${session}</code>`} <${State} of=${state} /></p>
          <svg viewBox="0 0 ${WIDTH} ${MIDDLE * 2}" preserveAspectRatio="none" role="img" aria-label=${`${session}: ${words}`}>
            <line x1="4" x2=${WIDTH - 4} y1=${MIDDLE} y2=${MIDDLE} class="lane" />
            ${sent === null ? null : html`<line x1="4" x2=${x(sent)} y1=${MIDDLE} y2=${MIDDLE} class="sent" />`}
            ${confirmed === null ? null : html`<line x1=${x(sent ?? 0)} x2=${x(confirmed)} y1=${MIDDLE} y2=${MIDDLE} class="handled" />`}
            <line x1="4" x2="4" y1=${MIDDLE - 5} y2=${MIDDLE + 5} class="mark" />
            ${sent === null ? null : html`<line x1=${x(sent)} x2=${x(sent)} y1=${MIDDLE - 5} y2=${MIDDLE + 5} class="mark" />`}
            ${confirmed === null ? null : html`<line x1=${x(confirmed)} x2=${x(confirmed)} y1=${MIDDLE - 5} y2=${MIDDLE + 5} class="mark" />`}
          </svg>
        </li>`;
      })}
    </ul>
    <p class="axis"><span>told</span><span>${span(end)} later</span></p>
    <p class="legend"><span><i class="sent"></i> until it was written to its socket</span><span><i class="handled"></i> until its client had handled it</span></p>
  `;
}
