// @ts-check
/**
 * The page that a client of the original runs in. `?server=HOST:PORT` names the app; the original
 * knew port 8000 of the page's own host only.
 */
import { CLASSES } from "./models.js";
import { asked } from "./query.js";
import { playSession } from "./session.js";
import { Stage } from "./stage.js";

const host = new URLSearchParams(location.search).get("server") ?? `${location.hostname}:8000`;
element("server").textContent = `to ${host}`;

/** What signing in would leave there. @type {{ sessionAuthKey?: string }} */
const storage = { sessionAuthKey: localStorage.sessionAuthKey };
const stage = new Stage({ host, WebSocket, storage, classes: CLASSES });
stage.onChange = show;
show();
Object.assign(globalThis, { stage, playSession });

function show() {
  const lines = stage.log.map((entry) => item(sentence(entry), ""));
  const errors = stage.errors.map((error) => item(error, "error"));
  element("log").replaceChildren(...lines, ...errors);
}

/** @param {import("./stage.js").Entry} entry */
function sentence({ who, event, dir, text, request, response, sql }) {
  if (request !== undefined) {
    return `POST ${asked(request.body)}: ${response?.body ?? "…"}`;
  }
  const frame = dir === "server->client" ? `<- ${text}` : `-> ${text}`;
  return `${who}: ${sql ?? event ?? frame}`;
}

/**
 * @param {string} text
 * @param {string} className
 */
function item(text, className) {
  return Object.assign(document.createElement("li"), { textContent: text, className });
}

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}
