// @ts-check
/**
 * The original's browser client, as its recordings and the description of its protocol show it:
 * what it sends, what it needs in answers, what it does with messages, how it comes back. Blazelink
 * has to serve this one as it is, with its faults. It runs in browsers and in Node.
 */
import { Model } from "./model.js";

/** @typedef {import("./query.js").ObjectId} ObjectId */
/** @typedef {import("./model.js").Class} Class */
/** @typedef {import("./model.js").Update} Update */

/** Seconds until the first attempt to come back, what each close adds, and the longest wait. */
const FIRST_DELAY = 1;
const LATER = 5;
const LONGEST_DELAY = 30;

/** The part of a WebSocket that is used. @typedef {Pick<WebSocket, "send" | "close" | "addEventListener">} Socket */

/**
 * What the client takes from where it runs.
 *
 * @typedef {object} Platform
 * @property {string} host name and port of the server
 * @property {(url: string, init: RequestInit) => Promise<Response>} fetch
 * @property {(url: string) => Socket} connect opens a websocket
 * @property {{ sessionAuthKey?: string }} storage `localStorage`, where there is one
 * @property {(work: () => void, seconds: number) => void} schedule
 * @property {(work: Promise<void>) => void} background takes work that nobody awaits
 * @property {(error: unknown) => void} failed hears of what nobody catches
 * @property {(sentence: string) => void} warn
 */

export class Client {
  #platform;
  #delay = FIRST_DELAY;
  #closed = false;

  /** @type {Socket} */
  #socket;

  /** @type {Map<string, Class>} */
  #classes = new Map();

  /** Every model that was ever made, by its four fields. @type {Map<string, Model>} */
  #models = new Map();

  /** Who watches an object or a table. @type {Map<string, { model: Model, filter?: import("./model.js").Dependency }[]>} */
  #watchers = new Map();

  /** New with every client. */
  sessionId = randomText() + randomText();

  /**
   * Connects at once.
   *
   * @param {Platform} platform
   * @param {Class[]} classes
   */
  constructor(platform, classes) {
    this.#platform = platform;
    for (const one of classes) {
      this.#classes.set(one.entity, one);
    }
    this.#socket = this.#connect();
  }

  /**
   * The model of one row; asks for nothing.
   *
   * @param {string} entity
   * @param {number} id
   * @returns {any}
   */
  find(entity, id) {
    return this.#resolve({ obj_id: id, entity, modifiers: "[]", dependencies: [] });
  }

  /**
   * The model of an object without a key, made from these models.
   *
   * @param {string} entity
   * @param {Model[]} given
   * @returns {any}
   */
  createView(entity, given) {
    const dependencies = given.map((model) => model.objectId);
    return this.#resolve({ obj_id: null, entity, modifiers: "[]", dependencies });
  }

  /** How many watch each object or table. */
  watchers() {
    return Object.fromEntries([...this.#watchers].map(([key, list]) => [key, list.length]));
  }

  /** Ends it for good. The original cannot: its page ends. */
  close() {
    this.#closed = true;
    this.#socket.close();
  }

  #connect() {
    const { host, connect, schedule } = this.#platform;
    const socket = connect(`ws://${host}/ws/connect?session_id=${this.sessionId}`);
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", () => {
      if (this.#closed) {
        return;
      }
      const seconds = this.#delay;
      this.#delay = Math.min(seconds + LATER, LONGEST_DELAY);
      schedule(() => {
        if (!this.#closed) {
          this.#socket = this.#connect();
        }
      }, seconds);
    });
    return socket;
  }

  /**
   * What throws is not confirmed.
   *
   * @param {unknown} data
   */
  #receive(data) {
    try {
      const message = JSON.parse(String(data));
      if (message.type === "ModelUpdateEvent") {
        this.#update(message);
        const confirmation = { confirm_message_id: message.msg_id, payload: {} };
        this.#socket.send(JSON.stringify({ type: "ConfirmEvent", data: confirmation }));
      }
    } catch (error) {
      this.#platform.failed(error);
    }
  }

  /** @param {Update} message */
  #update(message) {
    const { entity, obj_id } = message.data.identifier;
    const id = obj_id === null ? null : Number.parseInt(obj_id.toString(), 10);
    const row = id === null ? [] : (this.#watchers.get(watchKey(entity, id)) ?? []);
    const table = this.#watchers.get(watchKey(entity, null)) ?? [];
    for (const { model, filter } of [...row, ...table]) {
      if (filter === undefined || model.minds(filter, message)) {
        model.refetch();
      }
    }
  }

  /**
   * @param {ObjectId} identifier
   * @returns {Model}
   */
  #resolve(identifier) {
    const { obj_id, entity, modifiers = null } = identifier;
    const dependencies = [.../** @type {ObjectId[]} */ (identifier.dependencies)];
    const key = JSON.stringify([obj_id, entityKey(entity), modifiers, dependencies]);
    const known = this.#models.get(key);
    if (known !== undefined) {
      return known;
    }
    const declared = this.#classes.get(entity);
    if (declared === undefined) {
      throw new Error(`No class is declared for ${JSON.stringify(identifier)}`);
    }
    const model = new Model(this.#surroundings, declared, { obj_id, entity, modifiers, dependencies });
    this.#models.set(key, model);
    for (const { entity, obj_id, ...rest } of model.watched) {
      const filter = "filter" in rest ? rest.filter : undefined;
      const key = watchKey(entity, obj_id);
      this.#watchers.set(key, [...(this.#watchers.get(key) ?? []), { model, filter }]);
    }
    return model;
  }

  /** @returns {import("./model.js").Surroundings} */
  get #surroundings() {
    const { background, warn } = this.#platform;
    return {
      resolve: (identifier) => this.#resolve(identifier),
      ask: (query) => this.#ask(query),
      background,
      warn,
    };
  }

  /**
   * The status of the answer does not matter to it.
   *
   * @param {string} query
   */
  async #ask(query) {
    const { host, fetch, storage } = this.#platform;
    const response = await fetch(`http://${host}/graphql/`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        session_id: this.sessionId,
        // The text "undefined" for somebody who has not signed in.
        Authorization: String(storage.sessionAuthKey),
      },
      body: JSON.stringify({ query }),
    });
    return response.json();
  }
}

function randomText() {
  return Math.random().toString(36).slice(2);
}

/**
 * Only the first underscore is taken out.
 *
 * @param {string} entity
 */
function entityKey(entity) {
  return entity.toLowerCase().replace("_", "");
}

/**
 * @param {string} entity
 * @param {number | null} id
 */
function watchKey(entity, id) {
  return `${entityKey(entity)}:${id}`;
}
