// The debugger's pages: the frame around every screen, and which screen it is.

import { html, render, useEffect, useState } from "./vendor/htm-preact.js";
import { Help } from "./help.js";
import { setKey, takeKey } from "./key.js";
import { live } from "./live.js";
import { twin } from "./parts.js";
import { Palette } from "./palette.js";
import { Path } from "./path.js";
import { to, SCREENS, go } from "./place.js";
import { Pulse } from "./pulse.js";
import { Recording, Recordings, turn } from "./recordings.js";
import { Replication } from "./replication.js";
import { Session, Sessions } from "./sessions.js";
import { Subscriptions } from "./subscriptions.js";
import { Updates } from "./updates.js";
import { ago, plural } from "./words.js";
import { Why } from "./why.js";
import { useAnswer, useDialog, useKeys, useLive, useNow, usePlace } from "./use.js";

const root = document.documentElement;

function App() {
  const place = usePlace();
  const stream = useLive();
  const why = useDialog();
  const help = useDialog();
  const palette = useDialog();
  const [keys, setKeys] = useState(localStorage.getItem("keys") !== "off");
  const [said, say] = useState("");
  useEffect(() => {
    const screen = SCREENS.find(({ path }) => path === `/${place.screen}`);
    document.title = `${screen?.name ?? "Debugger"} · ${root.dataset.app}`;
  }, [place.screen]);
  const copy = () =>
    navigator.clipboard.writeText(location.href).then(
      () => say("The link is copied"),
      () => say("The link cannot be copied here"),
    );
  const record = () => turn(live.answers.get("/api/overview")?.ok?.recording != null).then(say);
  const acts = [
    { name: "Why did a session hear of a row, or not?", does: () => why.open({ session: "", object: "", at: "" }) },
    { name: "Hold what is shown, go on", does: () => live.pause(!live.paused) },
    { name: "Record, and stop", does: record },
    { name: "Charts as tables, and back", does: () => twin.turn() },
    { name: "Light or dark", does: turnTheme },
    { name: "Copy a link to what is shown", does: copy },
    { name: "The HTTP API", does: () => location.assign(to("/docs")) },
    { name: "Keys", does: () => help.open(true) },
  ];
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && document.querySelector("dialog[open]") === null) {
        event.preventDefault();
        palette.open(true);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  useKeys((key) => {
    if (!keys) {
      return;
    }
    const screen = SCREENS[Number(key) - 1];
    if (screen !== undefined) {
      go(screen.path);
      return true;
    }
    switch (key) {
      case "/":
        if (document.getElementById("filter") === null) {
          go("/updates");
        }
        setTimeout(() => document.getElementById("filter")?.focus());
        return true;
      case " ":
        live.pause(!live.paused);
        return true;
      case "w":
        why.open({ session: "", object: "", at: "" });
        return true;
      case "r":
        record();
        return true;
      case "v":
        twin.turn();
        return true;
      case "t":
        turnTheme();
        return true;
      case "y":
        copy();
        return true;
      case "?":
        help.open(true);
        return true;
    }
  }, window);
  if (stream.state === "refused") {
    return html`<${Locked} />`;
  }
  return html`
    <a class="skip" href="#screen">To the screen</a>
    <${Top} say=${said} help=${() => help.open(true)} />
    <nav class="rail" aria-label="Screens">
      ${SCREENS.map(
        (screen, at) => html`<a href=${to(screen.path)} aria-current=${screen.path === `/${place.screen}` ? "page" : undefined}>
          <span aria-hidden="true">${screen.icon}</span> ${screen.name} <kbd aria-hidden="true">${at + 1}</kbd>
        </a>`,
      )}
    </nav>
    <main id="screen" class=${stream.state === "away" ? "stale" : ""}><${Screen} place=${place} why=${why.open} /></main>
    ${why.of === undefined ? null : html`<${Why} key=${why.number} of=${why.of} close=${() => why.close(why.number)} />`}
    ${palette.of ? html`<${Palette} key=${palette.number} acts=${acts} close=${() => palette.close(palette.number)} />` : null}
    ${help.of
      ? html`<${Help} key=${help.number} close=${() => help.close(help.number)} keys=${keys} setKeys=${(/** @type {boolean} */ on) => {
          localStorage.setItem("keys", on ? "on" : "off");
          setKeys(on);
        }} />`
      : null}
  `;
}

/**
 * A screen that comes when somebody opens it for the first time, so that the first one comes sooner.
 *
 * @param {{load: () => Promise<any>, name: string}} of
 */
function Later({ load, name }) {
  const [module, setModule] = useState(/** @type {any} */ (undefined));
  useEffect(() => {
    load().then(setModule);
  }, []);
  return module === undefined ? html`<p class="asking" role="status">Asking the app …</p>` : html`<${module[name]} />`;
}

/** @param {{place: any, why: (of: any) => void}} of */
function Screen({ place, why }) {
  switch (place.screen) {
    case "":
      return html`<${Pulse} />`;
    case "updates":
      return html`<${Updates} filter=${place.filter} by=${place.by} />`;
    case "path":
      return html`<${Path} of=${place.of} why=${why} />`;
    case "sessions":
      return place.of === "" ? html`<${Sessions} state=${place.state} />` : html`<${Session} key=${place.of} label=${place.of} why=${why} />`;
    case "subscriptions":
      return html`<${Subscriptions} />`;
    case "schema":
      return html`<${Later} key="schema" load=${() => import("./schema.js")} name="Schema" />`;
    case "explorer":
      return html`<${Later} key="explorer" load=${() => import("./explorer.js")} name="Explorer" />`;
    case "replication":
      return html`<${Replication} />`;
    case "recordings":
      return place.of === "" ? html`<${Recordings} />` : html`<${Recording} key=${place.of} name=${place.of} at=${place.at} filter=${place.filter} />`;
    default:
      return html`<h1>There is no such screen</h1><p><a href=${to("/")}>Pulse</a> is the first one.</p>`;
  }
}

/** @param {{say: string, help: () => void}} of */
function Top({ say, help }) {
  const { ok: overview } = useAnswer("/api/overview");
  const stream = useLive();
  const now = useNow();
  const waiting = stream.beyond?.ok === undefined || overview === undefined ? 0 : told(stream.beyond.ok) - told(overview);
  const away = stream.state === "away" || stream.state === "full";
  return html`<header class="top ${overview?.environment ?? ""}">
    <p class="app"><b>${root.dataset.app}</b> <span class="environment">${overview?.environment ?? "…"}</span></p>
    <p class="health ${away ? "down" : (overview?.state ?? "")}" role="status">
      ${stream.state === "full"
        ? "Too many pages of the debugger are open: close one"
        : stream.state === "away"
          ? `The app does not answer; this is ${ago(stream.heard, now)} old`
          : stream.paused
            ? `Held by you: ${plural(waiting, "update", "updates")} since`
            : (overview?.health ?? "Asking the app …")}
    </p>
    ${overview !== undefined && overview.version !== root.dataset.version ? html`<p class="wrong">The app is version ${overview.version} now: <a href="" target="_self">reload</a></p>` : null}
    <p class="said" role="status">${say}</p>
    ${overview?.held === true ? html`<p class="wrong">Commits are held</p>` : null}
    ${overview?.recording == null ? null : html`<a class="recording" href=${to("/recordings")}><span class="dot" aria-hidden="true">●</span> recording</a>`}
    <button aria-pressed=${stream.paused ? "true" : "false"} onClick=${() => live.pause(!live.paused)}>${stream.paused ? "❚❚ held" : "● live"}</button>
    <button onClick=${turnTheme} aria-label="Light or dark">◐</button>
    <button onClick=${help} aria-label="Keys">?</button>
  </header>`;
}

/** @param {any} overview */
function told(overview) {
  return overview.stages.find((/** @type {any} */ stage) => stage.name === "told").total;
}

/** Where the key is missing or wrong. */
function Locked() {
  const [key, set] = useState("");
  return html`<main class="alone">
    <h1>The debugger of ${root.dataset.app}</h1>
    <p>It opens with its key. <code>blazelink dev</code> prints an address that has it; in production it is what <code>BLAZELINK_DEBUGGER_KEY</code> says.</p>
    <form onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      setKey(key);
      live.again();
    }}>
      <label>Key <input type="password" required value=${key} onInput=${(/** @type {any} */ event) => set(event.target.value)} autocomplete="off" /></label>
      <button>Open</button>
    </form>
  </main>`;
}

function turnTheme() {
  const dark = root.dataset.theme === "dark" || (root.dataset.theme === undefined && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

const theme = localStorage.getItem("theme");
if (theme !== null) {
  root.dataset.theme = theme;
}
takeKey();
render(html`<${App} />`, /** @type {Element} */ (document.getElementById("root")));
