// @ts-check
/**
 * Where a client of the original plays its part: it writes down what goes over the wires, in the
 * form that the recordings have, and lets a script wait for it. It runs in browsers and in Node.
 */
import { Client } from "./client.js";

/** How long a script waits for anything, in milliseconds, before it gives up. */
const DEADLINE = 60_000;

/** Rows of `Game` from this number on are a stage's own. */
const FENCES = 1_000_000;

/**
 * @typedef {object} Entry
 * @property {"http" | "websocket" | "database"} who
 * @property {string} [event] of a websocket: connect, open or close
 * @property {string} [url]
 * @property {number} [code] of a close
 * @property {"client->server" | "server->client"} [dir]
 * @property {string} [text] of a frame
 * @property {{ method?: string, url: string, headers: Record<string, string>, body: string }} [request]
 * @property {{ status: number, body: string }} [response]
 * @property {string} [sql]
 */

export class Stage {
  #host;
  /** Hears that something has happened. @type {() => void} */
  onChange = () => {};
  #pending = 0;

  /** The newest of its own rows. Other stages on the same database begin elsewhere. */
  #fence = FENCES + Math.floor(Math.random() * 1_000_000_000);

  /** Ids of messages about the stage's own rows. @type {Set<unknown>} */
  #hidden = new Set();

  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** What went over the wires, in order. @type {Entry[]} */
  log = [];

  /** What nobody caught. @type {string[]} */
  errors = [];

  /** @type {string[]} */
  warnings = [];

  /** The seconds after which the client wanted to come back. @type {number[]} */
  delays = [];

  /** @type {(() => void)[]} */
  #attempts = [];

  /**
   * @param {object} setting
   * @param {string} setting.host name and port of the server
   * @param {new (url: string) => import("./client.js").Socket} setting.WebSocket
   * @param {{ sessionAuthKey?: string }} setting.storage
   * @param {import("./client.js").Class[]} setting.classes
   */
  constructor({ host, WebSocket, storage, classes }) {
    this.#host = host;
    const connect = (/** @type {string} */ url) => this.#connect(WebSocket, url);
    const platform = {
      host,
      fetch: (/** @type {string} */ url, /** @type {RequestInit} */ init) => this.#fetch(url, init),
      connect,
      storage,
      schedule: (/** @type {() => void} */ work, /** @type {number} */ seconds) => {
        this.delays.push(seconds);
        this.#attempts.push(work);
        this.#changed();
      },
      background: (/** @type {Promise<void>} */ work) => {
        this.#pending += 1;
        void work.catch((error) => this.#failed(error)).finally(() => {
          this.#pending -= 1;
          this.#changed();
        });
      },
      failed: (/** @type {unknown} */ error) => this.#failed(error),
      warn: (/** @type {string} */ sentence) => void this.warnings.push(sentence),
    };
    this.client = new Client(platform, classes);
  }

  /** The requests so far. */
  get requests() {
    return this.log.flatMap(({ request }) => (request === undefined ? [] : [request]));
  }

  /** The frames so far that the server has sent. */
  get frames() {
    const frames = this.log.filter(({ dir }) => dir === "server->client");
    return frames.map(({ text = "" }) => JSON.parse(text));
  }

  /** Whether the newest websocket is open. */
  get isOpen() {
    return this.log.filter(({ event }) => event !== undefined).at(-1)?.event === "open";
  }

  /**
   * Waits for a condition, which is looked at whenever something has happened.
   *
   * @param {string} what the condition, in words
   * @param {() => boolean} condition
   * @returns {Promise<void>}
   */
  until(what, condition) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const seen = JSON.stringify({ log: this.log.slice(-20), errors: this.errors }, null, 1);
        reject(new Error(`Waited in vain until ${what}; the last that happened: ${seen}`));
      }, DEADLINE);
      const look = () => {
        if (condition()) {
          this.#waiting.delete(look);
          clearTimeout(timer);
          resolve();
        }
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Waits until the client has opened its websocket. */
  opened() {
    return this.until("the websocket is open", () => this.isOpen);
  }

  /** Waits until every request has been answered, and every answer been taken in. */
  answered() {
    return this.until("every request is answered", () => this.#pending === 0);
  }

  /** Lets the client come back now instead of after its delay, once it wants to. */
  async comeBack() {
    await this.until("the client wants to come back", () => this.#attempts.length > 0);
    this.#attempts.shift()?.();
    await this.opened();
  }

  /**
   * Commits a statement, and waits until the client has done everything that it causes.
   *
   * Messages come in the order of commits: once one about a later commit is there, all others are.
   * The row of that later commit is one which the session watches, but no model does.
   *
   * @param {(sql: string) => Promise<unknown>} run
   * @param {string} sql
   */
  async commit(run, sql) {
    this.log.push({ who: "database", sql });
    await run(sql);
    await this.settled(run);
  }

  /**
   * Waits until the server is past every commit so far, and the client has done all they cause.
   *
   * @param {(sql: string) => Promise<unknown>} run
   */
  async settled(run) {
    this.#fence += 1;
    const id = this.#fence;
    const watch = await fetch(`http://${this.#host}/graphql/`, {
      method: "POST",
      headers: { "Content-Type": "application/json", session_id: this.client.sessionId },
      body: JSON.stringify({ query: `{ game(identifier: {obj_id: ${id}}) { id } }` }),
    });
    await watch.text();
    const before = this.#hidden.size;
    await run(`insert into game(id, name) values(${id}, 'fence')`);
    await this.until("the later commit is told", () => this.#hidden.size > before);
    await this.answered();
  }

  /** @param {unknown} error */
  #failed(error) {
    this.errors.push(error instanceof Error ? error.message : String(error));
    this.#changed();
  }

  #changed() {
    this.onChange();
    for (const look of [...this.#waiting]) {
      look();
    }
  }

  /** @param {Entry} entry */
  #write(entry) {
    this.log.push(entry);
    this.#changed();
  }

  /**
   * @param {string} url
   * @param {RequestInit} init
   */
  async #fetch(url, init) {
    const headers = /** @type {Record<string, string>} */ (init.headers);
    const request = { method: init.method, url, headers, body: String(init.body) };
    /** @type {Entry} */
    const entry = { who: "http", request };
    this.#write(entry);
    const response = await fetch(url, init);
    const { status } = response;
    entry.response = { status, body: await response.text() };
    return new Response(entry.response.body, { status });
  }

  /**
   * @param {new (url: string) => import("./client.js").Socket} WebSocket
   * @param {string} url
   */
  #connect(WebSocket, url) {
    this.#write({ who: "websocket", event: "connect", url });
    const socket = new WebSocket(url);
    // These listeners are the first: what they write down stands before what the client does.
    socket.addEventListener("open", () => this.#write({ who: "websocket", event: "open" }));
    socket.addEventListener("close", ({ code }) => {
      this.#write({ who: "websocket", event: "close", code });
    });
    socket.addEventListener("message", ({ data }) => this.#received(String(data)));
    const send = socket.send.bind(socket);
    socket.send = (text) => {
      const { confirm_message_id } = JSON.parse(String(text)).data;
      if (!this.#hidden.has(confirm_message_id)) {
        this.#write({ who: "websocket", dir: "client->server", text: String(text) });
      }
      send(text);
    };
    return socket;
  }

  /** @param {string} text */
  #received(text) {
    const { msg_id, data } = JSON.parse(text);
    const { entity, obj_id } = data?.identifier ?? {};
    if (entity === "Game" && obj_id > FENCES) {
      this.#hidden.add(msg_id);
      this.#changed();
    } else {
      this.#write({ who: "websocket", dir: "server->client", text });
    }
  }
}
