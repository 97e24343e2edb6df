// Recordings: what the app did for a while, in a file; and one of them, commit by commit, and played to the app as
// it is now.

import { html, useEffect, useState } from "./vendor/htm-preact.js";
import { Filter } from "./filter.js";
import { Answer, Nothing, Reads, Table } from "./parts.js";
import { shown as path } from "./path.js";
import { to, go, recordingAt } from "./place.js";
import { ago, causeOf, changed, count, plural, size, span } from "./words.js";
import { ask, useAnswer, useKeys, useNow } from "./use.js";

/** Commits of a recording that can be chosen. */
const SCRUBBED = 500;

/**
 * Begins a recording, or ends the one that is being made. What is to be said of that.
 *
 * @param {boolean} running
 * @param {{name?: string, redacted?: boolean}} what
 */
export async function turn(running, what = {}) {
  const { ok, error } = running
    ? await ask("/api/recordings/stop", { method: "POST" })
    : await ask("/api/recordings", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(what) });
  return error ?? (running ? `The recording ${ok.name} is kept` : `Recording ${ok.running.name}`);
}

export function Recordings() {
  const answer = useAnswer("/api/recordings");
  return html`
    <h1>Recordings <small>what the app did for a while, to be looked at and replayed</small></h1>
    <${Answer} answer=${answer}>${(/** @type {any} */ ok) => html`<${Shelf} of=${ok} />`}</${Answer}>
  `;
}

/** @param {{of: any}} of */
function Shelf({ of }) {
  const now = useNow();
  const { running, recordings } = of;
  const [chosen, setChosen] = useState(-1);
  const [name, setName] = useState("");
  const [redacted, setRedacted] = useState(false);
  const [said, say] = useState("");
  useKeys((key) => {
    if (["j", "k", "ArrowDown", "ArrowUp"].includes(key)) {
      const by = key === "j" || key === "ArrowDown" ? 1 : -1;
      setChosen(Math.max(0, Math.min(recordings.length - 1, chosen + by)));
      return true;
    }
    if (key === "Enter" && recordings[chosen] !== undefined) {
      go(recordingAt(recordings[chosen].name));
      return true;
    }
  });
  if (!of.kept) {
    return html`<${Nothing} title="The app keeps no recordings"><p>It has no folder for them: name one with <code>[server] state</code>, or <code>BLAZELINK_STATE</code>.</p></${Nothing}>`;
  }
  const begin = async (/** @type {Event} */ event) => {
    event.preventDefault();
    say(await turn(running !== null, { name: name || undefined, redacted }));
    setName("");
  };
  return html`
    <section class="panel">
      <h2>${running === null ? "Record" : html`Recording ${running.name} <small>for ${ago(running.began_at_ms, now)}, ${plural(running.updates, "commit", "commits")} by now${running.redacted ? ", redacted" : ""}</small>`}</h2>
      <form class="record" onSubmit=${begin}>
        ${running === null
          ? html`<label>Name <input value=${name} onInput=${(/** @type {any} */ event) => setName(event.target.value)} placeholder="after the time" pattern="[A-Za-z0-9_\\-]*" maxlength="64" autocomplete="off" /></label>
              <label class="check"><input type="checkbox" checked=${redacted} onChange=${(/** @type {any} */ event) => setRedacted(event.target.checked)} /> without values and viewers</label>
              <button><span class="dot" aria-hidden="true">●</span> Record</button>`
          : html`<button><span aria-hidden="true">■</span> Stop</button>`}
        <p class="said" role="status">${said}</p>
      </form>
      <p class="sum">${running === null
        ? "It holds every commit from now on, and whom it was told. Without values and viewers it can be shown to anybody, and not be replayed."
        : "It ends with the app at the latest. r stops it from any screen."}</p>
    </section>
    ${recordings.length === 0
      ? html`<${Nothing} title="No recording yet"><p>Press <kbd>r</kbd>, let something happen, press <kbd>r</kbd> again. <code>blazelink record</code> does the same.</p></${Nothing}>`
      : html`<${Table}
          name="Recordings"
          heads=${["Recording", "Ago", "Took", "Size", "Holds"]}
          numbers=${[1, 2, 3]}
          chosen=${chosen < 0 ? undefined : chosen}
          rows=${recordings.map((/** @type {any} */ it) => ({
            key: it.name,
            href: recordingAt(it.name),
            cells: [it.name, ago(it.began_at_ms, now), span((it.ended_at_ms - it.began_at_ms) * 1_000), size(it.bytes), holds(it)],
          }))}
        />
        <p class="loss">${count(recordings.length)} of at most ${count(of.most)} are kept.</p>`}
  `;
}

/** @param {any} recording */
function holds(recording) {
  const lacks = [];
  if (recording.let_go > 0) {
    lacks.push(`${plural(recording.let_go, "commit", "commits")} found no room`);
  }
  if (recording.left_out > 0) {
    lacks.push(`${plural(recording.left_out, "session", "sessions")} watched more than there was room for`);
  }
  if (recording.lost > 0) {
    lacks.push(`${plural(recording.lost, "record", "records")} found no room`);
  }
  return [recording.redacted ? "no values, no viewers" : "all of it", ...lacks].join(" · ");
}

/** @param {{name: string, at: string, filter: string}} of */
export function Recording({ name, at, filter }) {
  const base = `/api/recordings/${encodeURIComponent(name)}`;
  const updates = useAnswer(`${base}/updates?limit=${SCRUBBED}&filter=${encodeURIComponent(filter)}`);
  useKeys((key) => {
    if (key === "Escape") {
      go("/recordings");
      return true;
    }
  });
  return html`
    <header class="path">
      <h1>Recording ${name}</h1>
      <nav aria-label="Recordings"><a class="button" href=${to("/recordings")}>all recordings</a><${Delete} name=${name} base=${base} /></nav>
    </header>
    <${Replay} name=${name} base=${base} />
    <${Compare} name=${name} base=${base} />
    <${Filter} value=${filter} wrong=${updates.error} known=${[]} set=${(/** @type {string} */ text) => go(recordingAt(name, undefined, text))} />
    <${Answer} answer=${updates}>
      ${(/** @type {any} */ ok) =>
        ok.updates.length > 0
          ? html`<${Scrub} name=${name} base=${base} filter=${filter} updates=${[...ok.updates].reverse()} of=${ok} at=${Number(at)} />`
          : filter === ""
            ? html`<${Nothing} title="Nothing happened"><p>No commit came while it was made.</p></${Nothing}>`
            : html`<${Nothing} title="None of these"><p>${count(ok.searched)} updates were looked at. <a href=${to(recordingAt(name))}>Show all</a></p></${Nothing}>`}
    </${Answer}>
  `;
}

/** Puts it beside another one, in numbers. @param {{name: string, base: string}} of */
function Compare({ name, base }) {
  const { ok: all } = useAnswer("/api/recordings");
  const [other, setOther] = useState("");
  const [both, setBoth] = useState(/** @type {any[]} */ ([]));
  const [error, setError] = useState("");
  const others = (all?.recordings ?? []).filter((/** @type {any} */ it) => it.name !== name);
  useEffect(() => {
    setOther("");
    setBoth([]);
  }, [name]);
  const compare = async (/** @type {string} */ other) => {
    setOther(other);
    const asked = other === "" ? [] : [base, `/api/recordings/${encodeURIComponent(other)}`];
    const answers = await Promise.all(asked.map((path) => ask(`${path}/summary`)));
    setError(answers.find((it) => it.error !== undefined)?.error ?? "");
    setBoth(answers.map((it) => it.ok).filter(Boolean));
  };
  if (others.length === 0) {
    return null;
  }
  return html`<section class="panel">
    <h2>Compare <small>what happened, and how long it took</small></h2>
    <label class="with">With <select value=${other} onChange=${(/** @type {any} */ event) => compare(event.target.value)}>
      <option value="">none</option>
      ${others.map((/** @type {any} */ it) => html`<option value=${it.name}>${it.name}</option>`)}
    </select></label>
    ${error === "" ? null : html`<p class="wrong" role="alert">${error}</p>`}
    ${both.length < 2 ? null : html`<${Beside} one=${both[0]} other=${both[1]} name=${other} />`}
  </section>`;
}

/** @param {{one: any, other: any, name: string}} of */
function Beside({ one, other, name }) {
  const none = { updates: 0, told: 0, denied: 0, merged: 0, p50_us: null, p99_us: null };
  const what = [...new Set([...one.kinds, ...other.kinds].map((it) => it.what))];
  const kind = (/** @type {any} */ of, /** @type {string} */ what) => of.kinds.find((/** @type {any} */ it) => it.what === what) ?? none;
  const pairs = [["everything", one.all, other.all], ...what.map((it) => [it, kind(one, it), kind(other, it)])];
  const heads = ["Commits", "Told", "Denied", "Merged or reset", "p50", "p99"].flatMap((head) => [head, `of ${name}`]);
  const told = (/** @type {any} */ it) => [count(it.updates), count(it.told), count(it.denied), count(it.merged), span(it.p50_us), span(it.p99_us)];
  return html`<${Table}
    name="Compared"
    heads=${["Changed", ...heads]}
    numbers=${heads.map((_, at) => at + 1)}
    rows=${pairs.map(([what, a, b]) => {
      const [these, those] = [told(a), told(b)];
      return { key: what, cells: [what, ...these.flatMap((cell, at) => [cell, html`<small>${those[at]}</small>`])] };
    })}
  />`;
}

/** Goes through the commits. @param {{name: string, base: string, filter: string, updates: any[], of: any, at: number}} of */
function Scrub({ name, base, filter, updates, of, at }) {
  const found = updates.findIndex((it) => it.number === at);
  const position = found < 0 ? 0 : found;
  const update = updates[position];
  const choose = (/** @type {number} */ position) => {
    const { number } = updates[Math.max(0, Math.min(updates.length - 1, position))];
    go(recordingAt(name, number, filter), "replace");
  };
  useKeys((key) => {
    if (key === "[" || key === "]") {
      choose(position + (key === "]" ? 1 : -1));
      return true;
    }
  });
  const answer = useAnswer(`${base}/updates/${update.number}`);
  const since = update.told_at_ms - updates[0].told_at_ms;
  return html`
    <section class="panel scrub">
      <h2 id="scrub">Commit ${position + 1} of ${count(updates.length)} <small>update ${update.number}, ${span(since * 1_000)} after the first${of.next === null ? "" : `; older ones than these ${SCRUBBED} are in the file`}</small></h2>
      <div class="slider">
        <button onClick=${() => choose(position - 1)} disabled=${position === 0} aria-label="The commit before">‹</button>
        <input type="range" min="1" max=${updates.length} value=${position + 1} aria-labelledby="scrub" aria-valuetext=${`${changed(update.tables)}, told to ${plural(update.funnel.told, "session", "sessions")}`} onInput=${(/** @type {any} */ event) => choose(Number(event.target.value) - 1)} />
        <button onClick=${() => choose(position + 1)} disabled=${position === updates.length - 1} aria-label="The commit after">›</button>
      </div>
      <p class="sum">${changed(update.tables)} · ${causeOf(update)}</p>
    </section>
    <${Answer} answer=${answer}>${(/** @type {any} */ ok) => path(ok)}</${Answer}>
    <${Then} base=${base} number=${update.number} />
  `;
}

/** Who watched what at a commit. @param {{base: string, number: number}} of */
function Then({ base, number }) {
  const answer = useAnswer(`${base}/updates/${number}/sessions`);
  return html`<${Answer} answer=${answer}>
    ${(/** @type {any} */ { sessions, all }) => html`<section class="panel">
      <h2>Who watched what then <small>${sessions.length < all ? `${count(sessions.length)} of ${plural(all, "session", "sessions")}` : plural(all, "session", "sessions")}</small></h2>
      ${all === 0 ? html`<p class="sum">It is not in the recording: it has been redacted, or there was no session.</p>` : null}
      <ul class="then">
        ${sessions.map(
          (/** @type {any} */ it) => html`<li key=${it.session}><details open=${it.told}>
            <summary><code>${it.session}</code> ${it.viewer}, ${it.told ? "was told" : "was not told"}${it.left_out ? ", and watched more than there was room for" : `, watched ${plural(it.reads.length, "object", "objects")}`}</summary>
            <${Reads} reads=${it.reads} />
          </details></li>`,
        )}
      </ul>
    </section>`}
  </${Answer}>`;
}

/** Plays it to the app as it is now. @param {{name: string, base: string}} of */
function Replay({ name, base }) {
  const [answer, setAnswer] = useState(/** @type {any} */ (undefined));
  const [busy, setBusy] = useState(false);
  useEffect(() => setAnswer(undefined), [name]);
  const replay = async () => {
    setBusy(true);
    setAnswer(await ask(`${base}/replay`, { method: "POST" }));
    setBusy(false);
  };
  const told = answer?.ok;
  return html`<section class="panel">
    <h2>Replay <small>what the app would tell otherwise, as it is now</small></h2>
    <p class="replay"><button onClick=${replay} disabled=${busy}>${busy ? "Replaying …" : "Replay against this build"}</button>
      <span class=${told?.differ > 0 ? "bad" : told === undefined ? "wrong" : "good"} role="status">${told?.sentence ?? answer?.error ?? ""}</span></p>
    ${told === undefined || told.differences.length === 0
      ? null
      : html`<${Table}
          name="Deliveries that would differ"
          heads=${["Update", "Session", "Of", "Was told", "Would be"]}
          numbers=${[]}
          rows=${told.differences.map((/** @type {any} */ it) => ({
            key: `${it.update} ${it.session} ${it.object}`,
            href: recordingAt(name, it.update),
            cells: [it.update, it.session, it.object, it.was ?? "nothing", it.was === it.would ? `${it.would}, with other columns or values` : (it.would ?? "nothing")],
          }))}
        />`}
    ${told?.differ > told?.differences.length ? html`<p class="loss">These are the first ${count(told.differences.length)}.</p>` : null}
    ${told?.not_compared.map((/** @type {string} */ sentence) => html`<p class="loss">${sentence}.</p>`)}
  </section>`;
}

/** Deletes it, if that is said twice. @param {{name: string, base: string}} of */
function Delete({ name, base }) {
  const [sure, setSure] = useState(false);
  const [error, setError] = useState("");
  useEffect(() => setSure(false), [name]);
  const remove = async () => {
    if (!sure) {
      setSure(true);
      return;
    }
    const answer = await ask(base, { method: "DELETE" });
    if (answer.ok !== undefined) {
      go("/recordings");
    } else {
      setError(answer.error ?? "");
    }
  };
  return html`<button onClick=${remove} onBlur=${() => setSure(false)}>${sure ? "Delete it for good" : "Delete"}</button>${error === "" ? null : html`<span class="wrong" role="status">${error}</span>`}`;
}
