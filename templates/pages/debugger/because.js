// `Because`: what followed from each row of an update: what sessions were told of the row itself, and what
// they were told to read again, since it is computed from what has changed.

import { html } from "./vendor/htm-preact.js";
import { count, plural } from "./words.js";

const SHOWN = 30;

/** @param {{path: any}} of */
export function Because({ path }) {
  const { changes, notices } = path;
  const again = notices.filter((/** @type {any} */ it) => it.kind === "again");
  const told = (/** @type {string} */ object) => notices.filter((/** @type {any} */ it) => it.kind !== "again" && it.object === object);
  const branches = [
    ...changes.map((/** @type {any} */ it) => ({ kind: it.kind, name: it.object, leaves: told(it.object) })),
    ...(again.length === 0 ? [] : [{ kind: "so", name: "what is computed from it was read again", leaves: again }]),
  ];
  const sessions = (/** @type {any} */ it) => `${it.kind === "again" ? "" : `told as ${it.kind}d, to `}${plural(it.sessions, "session", "sessions")}`;
  return html`<section class="panel">
    <h2>Because of it</h2>
    ${branches.length === 0 ? html`<p class="sum">A table as a whole has changed</p>` : null}
    <ul class="because" tabindex="0" aria-label="What followed">
      ${branches.slice(0, SHOWN).map(
        (branch) => html`<li>
          <p><span class="kind ${branch.kind}">${branch.kind}</span> ${branch.kind === "so" ? branch.name : html`<code>${branch.name}</code>`}</p>
          <ul>
            ${branch.leaves.length === 0 ? html`<li class="sum">told to nobody as a row</li>` : null}
            ${branch.leaves.slice(0, SHOWN).map((/** @type {any} */ it) => html`<li>${it.kind === "again" ? html`<code>${it.object}</code> by ` : null}${sessions(it)}</li>`)}
            ${branch.leaves.length > SHOWN ? html`<li class="sum">and ${count(branch.leaves.length - SHOWN)} more</li>` : null}
          </ul>
        </li>`,
      )}
      ${branches.length > SHOWN ? html`<li class="sum">and ${plural(branches.length - SHOWN, "row", "rows")} more</li>` : null}
    </ul>
  </section>`;
}
