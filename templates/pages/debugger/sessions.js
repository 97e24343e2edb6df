// Sessions: who is connected and how far each got; and one of them, with everything that it watches.

import { html, useState } from "./vendor/htm-preact.js";
import { SessionGrid } from "./grid.js";
import { Answer, Nothing, Reads, State, Table } from "./parts.js";
import { to, go, updatesAt } from "./place.js";
import { ago, changed, count, plural, size, span } from "./words.js";
import { ask, useAnswer, useKeys, useLooker, useNow } from "./use.js";

const STATES = ["", "live", "behind", "offline"];
const SHOWN = 50;

/** @param {{state: string}} of */
export function Sessions({ state }) {
  const now = useNow();
  const asked = state === "" ? "" : `&state=${encodeURIComponent(state)}`;
  const answer = useAnswer(`/api/sessions?limit=${SHOWN}${asked}`);
  const grid = useAnswer("/api/grid");
  const [chosen, setChosen] = useState(/** @type {string | undefined} */ (undefined));
  const sessions = answer.ok?.sessions ?? [];
  const at = sessions.findIndex((/** @type {any} */ it) => it.session === chosen);
  useKeys((key) => {
    if (["j", "k", "ArrowDown", "ArrowUp"].includes(key)) {
      const by = key === "j" || key === "ArrowDown" ? 1 : -1;
      setChosen(sessions[at < 0 ? 0 : Math.max(0, Math.min(sessions.length - 1, at + by))]?.session);
      return true;
    }
    if (key === "Enter" && chosen !== undefined) {
      go(`/sessions/${chosen}`);
      return true;
    }
  });
  const counts = answer.ok?.counts;
  const of = { "": counts?.all, live: counts?.live, behind: counts?.behind, offline: counts?.offline };
  return html`
    <h1>Sessions <small>those first that something waits for</small></h1>
    <nav class="chips" aria-label="States">
      ${STATES.map((it) => html`<a href=${to(it === "" ? "/sessions" : `/sessions?state=${it}`)} aria-current=${it === state ? "page" : undefined}>
        ${it === "" ? "all" : html`<${State} of=${it} />`} ${counts === undefined ? null : html`<b>${count(of[/** @type {keyof typeof of} */ (it)])}</b>`}
      </a>`)}
    </nav>
    ${grid.ok?.sessions > 1 ? html`<section class="panel"><h2 class="unseen">All of them</h2><${SessionGrid} grid=${grid.ok} /></section>` : null}
    <${Answer} answer=${answer}>
      ${() =>
        sessions.length === 0
          ? html`<${Nothing} title=${state === "" ? "No client yet" : `No session is ${state}`}><p>Open a page of the app: its session shows up here.</p></${Nothing}>`
          : html`<${Table}
              name="Sessions"
              heads=${["Session", "State", "Since", "Viewer", "Watches", "Waits", "Unconfirmed", "Kept for it", "Sent", "Bytes"]}
              numbers=${[2, 4, 5, 6, 7, 8, 9]}
              chosen=${at < 0 ? undefined : at}
              rows=${sessions.map((/** @type {any} */ it) => ({
                key: it.session,
                href: `/sessions/${it.session}`,
                cells: [
                  it.session,
                  html`<${State} of=${it.state} />`,
                  ago(it.since_at_ms, now),
                  it.viewer,
                  count(it.subscriptions),
                  count(it.waiting),
                  count(it.unconfirmed),
                  size(it.outbox_bytes),
                  count(it.sent_updates),
                  size(it.sent_bytes),
                ],
              }))}
            />`}
    </${Answer}>
  `;
}

/** @param {{label: string, why: (of: any) => void}} of */
export function Session({ label, why }) {
  const answer = useAnswer(`/api/sessions/${encodeURIComponent(label)}`);
  useKeys((key) => {
    if (key === "Escape") {
      go("/sessions");
      return true;
    }
    if (key === "w") {
      why({ session: label, object: "", at: "" });
      return true;
    }
  });
  return html`
    <header class="path">
      <h1>Session <code>${label}</code></h1>
      <nav aria-label="This session">
        <button onClick=${() => why({ session: label, object: "", at: "" })}>Why …</button>
        <a class="button" href=${to(updatesAt(`session:${label}`))}>its updates</a>
        <a class="button" href=${to("/sessions")}>all sessions</a>
      </nav>
    </header>
    <${Answer} answer=${answer}>${(/** @type {any} */ ok) => html`<${Detail} ok=${ok} label=${label} why=${why} />`}</${Answer}>
  `;
}

/** @param {{ok: any, label: string, why: (of: any) => void}} of */
function Detail({ ok, label, why }) {
  const now = useNow();
  const { session, reads } = ok;
  const heard = useAnswer(`/api/updates?limit=10&filter=${encodeURIComponent(`session:${label}`)}`).ok?.updates ?? [];
  return html`
    <dl class="facts">
      <div><dt>State</dt><dd><${State} of=${session.state} /></dd></div>
      <div><dt>Since</dt><dd>${ago(session.since_at_ms, now)}</dd></div>
      <div><dt>Viewer</dt><dd>${session.viewer}</dd></div>
      <div><dt>Waits</dt><dd>${plural(session.waiting, "update", "updates")}, ${size(session.outbox_bytes)}</dd></div>
      <div><dt>Unconfirmed</dt><dd>${count(session.unconfirmed)}</dd></div>
      <div><dt>Sent</dt><dd>${plural(session.sent_updates, "update", "updates")}, ${size(session.sent_bytes)}</dd></div>
      <div><dt>Resets</dt><dd>${count(session.resets)}</dd></div>
    </dl>
    <${Mischief} label=${label} of=${ok.mischief} />
    <${SendAway} key=${label} label=${label} attached=${session.state !== "offline"} />
    <section class="panel">
      <h2>Watches <small>${plural(session.subscriptions, "dependency", "dependencies")}</small></h2>
      ${reads.length === 0 ? html`<${Nothing} title="It watches nothing" />` : null}
      <${Reads} reads=${reads} why=${(/** @type {string} */ object) => html`<button class="small" onClick=${() => why({ session: label, object, at: "" })} aria-label=${`Why ${label} did or did not hear of ${object}`}>why</button>`} />
    </section>
    <section class="panel">
      <h2>What it was told lately</h2>
      ${heard.length === 0
        ? html`<${Nothing} title="Nothing that is remembered" />`
        : html`<${Table} name="What it was told" heads=${["Update", "Ago", "Changed", "Slowest"]} numbers=${[1, 3]} rows=${heard.map((/** @type {any} */ it) => ({
            key: String(it.number),
            href: `/path/${it.number}`,
            cells: [it.number, ago(it.told_at_ms, now), changed(it.tables), span(it.slowest_us)],
          }))} />`}
    </section>
  `;
}

/** Late by so many milliseconds is a bad mobile network. */
const LATE_MS = 1_500;

/**
 * Trouble for its client, to see how it bears that; in development only.
 *
 * @param {{label: string, of: {delay_ms: number, duplicate: boolean, freeze: boolean}}} of
 */
function Mischief({ label, of }) {
  const looker = useLooker();
  const { ok: overview } = useAnswer("/api/overview");
  const [error, setError] = useState("");
  if (overview?.environment !== "development" || looker?.role !== "operator") {
    return null;
  }
  const path = `/api/sessions/${encodeURIComponent(label)}`;
  const send = async (/** @type {string} */ method, /** @type {string} */ address, /** @type {any} */ body) => {
    const answer = await ask(address, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    setError(answer.error ?? "");
  };
  const turn = (/** @type {Partial<typeof of>} */ what) => send("PUT", `${path}/mischief`, { ...of, ...what });
  const kinds = [
    { does: `${LATE_MS / 1_000} s late`, on: of.delay_ms > 0, turn: () => turn({ delay_ms: of.delay_ms > 0 ? 0 : LATE_MS }) },
    { does: "everything twice", on: of.duplicate, turn: () => turn({ duplicate: !of.duplicate }) },
    { does: "confirmations unheard", on: of.freeze, turn: () => turn({ freeze: !of.freeze }) },
  ];
  return html`<section class="panel">
    <h2>Mischief <small>to see how its client bears it</small></h2>
    <div class="chips">
      ${kinds.map((kind) => html`<button aria-pressed=${kind.on ? "true" : "false"} onClick=${kind.turn}>${kind.does}</button>`)}
      <button aria-pressed=${overview.held ? "true" : "false"} onClick=${() => send("PUT", "/api/held", { held: !overview.held })}>hold every commit</button>
      <${Kill} send=${send} />
    </div>
    ${error === "" ? null : html`<p class="wrong" role="alert">${error}</p>`}
  </section>`;
}

const SENT_AWAY = {
  disconnect: "Its socket is closed",
  revoke: "It watches nothing any more, and its socket is closed",
};

/**
 * Sends a session away, for operators. Whoever serves the public types its label first.
 *
 * @param {{label: string, attached: boolean}} of
 */
function SendAway({ label, attached }) {
  const looker = useLooker();
  const { ok: overview } = useAnswer("/api/overview");
  const [typed, setTyped] = useState("");
  const [said, say] = useState({ done: "", error: "" });
  if (looker?.role !== "operator" || overview === undefined) {
    return null;
  }
  const sure = overview.environment === "development" || typed === label;
  const send = async (/** @type {keyof typeof SENT_AWAY} */ how) => {
    const { error } = await ask(`/api/sessions/${encodeURIComponent(label)}/${how}`, { method: "POST" });
    say({ done: error === undefined ? SENT_AWAY[how] : "", error: error ?? "" });
    setTyped("");
  };
  return html`<section class="panel">
    <h2>Send it away <small>as ${looker.name}; it is in the app's log</small></h2>
    <div class="chips">
      ${overview.environment === "development"
        ? null
        : html`<label>To be sure, type ${label} <input value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value.trim())} spellcheck=${false} autocomplete="off" /></label>`}
      <button disabled=${!sure || !attached} onClick=${() => send("disconnect")} title="Its client comes back, and goes on">close its socket</button>
      <button disabled=${!sure} onClick=${() => send("revoke")} title="Its client must read again, and be let in by the app again">revoke what it watches</button>
    </div>
    <p class="said" role="status">${said.done}</p>
    ${said.error === "" ? null : html`<p class="wrong" role="alert">${said.error}</p>`}
  </section>`;
}

/** Kills the app, if that is said twice. @param {{send: (method: string, address: string, body: any) => void}} of */
function Kill({ send }) {
  const [sure, setSure] = useState(false);
  const kill = () => {
    if (sure) {
      send("POST", "/api/kill", {});
    }
    setSure(!sure);
  };
  return html`<button onClick=${kill} onBlur=${() => setSure(false)}>${sure ? "kill the app now" : "kill the app"}</button>`;
}
