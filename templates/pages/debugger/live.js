// `Live`: the answers that the screen shows, kept current by one stream, and how that stream does.
//
// Components say which answers they need and for how long; the stream is opened anew when that changes.
// What must stay true: what is shown last stays shown while the app is away, and a tab that nobody sees
// has no stream.

import { apply } from "./delta.js";
import { authorization } from "./key.js";
import { to } from "./place.js";

const HIDDEN_MS = 5_000;
const TOGETHER_MS = 30;
const SILENT_MS = 10_000;
const RETRY_MS = [250, 500, 1_000, 2_000, 4_000];

/**
 * How the stream does: `opening`, `open`, `away` (the app does not answer), `refused` (it does not take
 * the key), `full` (too many viewers).
 *
 * @typedef {"opening" | "open" | "away" | "refused" | "full"} State
 */

class Live {
  /** Answers by what was asked, each `{ok}` or `{error}`. @type {Map<string, any>} */
  answers = new Map();
  /** @type {State} */
  state = "opening";
  /** When the app was last heard. */
  heard = Date.now();
  /** Whether answers stay as they are. */
  paused = false;
  /** The newest overview while the others are paused. @type {any} */
  beyond = undefined;
  /** @type {Map<string, number>} */
  #wanted = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {AbortController | undefined} */
  #stream;
  #asked = "";
  #failures = 0;
  /** @type {any} */
  #timer;
  #scheduled = false;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#timer);
      if (document.hidden) {
        this.#timer = setTimeout(() => this.#close(), HIDDEN_MS);
      } else {
        this.#failures = 0;
        this.#schedule();
      }
    });
    setInterval(() => {
      if (this.state === "open" && Date.now() - this.heard > SILENT_MS && !document.hidden) {
        this.#close();
        this.#failed("away");
      }
    }, 1_000);
  }

  /** @param {() => void} listener */
  listen(listener) {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Keeps an answer current until what is returned is called. @param {string} get */
  want(get) {
    this.#wanted.set(get, (this.#wanted.get(get) ?? 0) + 1);
    this.#schedule();
    return () => {
      const count = (this.#wanted.get(get) ?? 1) - 1;
      if (count > 0) {
        this.#wanted.set(get, count);
      } else {
        this.#wanted.delete(get);
      }
      this.#schedule();
    };
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.paused = paused;
    this.beyond = undefined;
    this.#changed();
    this.#asked = "";
    this.#schedule();
  }

  /** Tries again now: there is another key. */
  again() {
    this.#failures = 0;
    this.#asked = "";
    this.state = "opening";
    this.#changed();
    this.#schedule();
  }

  #changed() {
    for (const listener of this.#listeners) {
      listener();
    }
  }

  // What one screen lets go and the next one asks for, and what several components do, is one stream.
  #schedule() {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setTimeout(() => {
        this.#scheduled = false;
        this.#open();
      }, TOGETHER_MS);
    }
  }

  #close() {
    this.#stream?.abort();
    this.#stream = undefined;
    this.#asked = "";
  }

  /** @param {State} state */
  #failed(state) {
    this.state = state;
    this.#changed();
    this.#asked = "";
    const wait = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)];
    this.#failures += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#schedule(), state === "refused" ? 3_600_000 : wait);
  }

  #open() {
    const gets = [...this.#wanted.keys()].sort();
    const asked = gets.map((get) => `get=${encodeURIComponent(get)}`).join("&");
    if (document.hidden || asked === this.#asked || gets.length === 0) {
      return;
    }
    this.#close();
    for (const get of [...this.answers.keys()].filter((get) => !this.#wanted.has(get))) {
      this.answers.delete(get);
    }
    this.#asked = asked;
    const stream = new AbortController();
    this.#stream = stream;
    this.#read(asked, stream.signal).then(
      () => stream.signal.aborted || this.#failed("away"),
      (state) => stream.signal.aborted || this.#failed(typeof state === "string" ? /** @type {State} */ (state) : "away"),
    );
  }

  /**
   * @param {string} asked
   * @param {AbortSignal} signal
   */
  async #read(asked, signal) {
    const response = await fetch(to(`/api/watch?${asked}`), { headers: authorization(), signal, cache: "no-store" });
    if (response.status === 401) {
      throw "refused";
    }
    if (response.status === 503) {
      throw "full";
    }
    if (!response.ok || response.body === null) {
      throw "away";
    }
    const told = new Map();
    let rest = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || signal.aborted) {
        return;
      }
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      this.heard = Date.now();
      this.#failures = 0;
      this.state = "open";
      for (const line of lines) {
        const { get, delta } = JSON.parse(line);
        if (get !== undefined) {
          told.set(get, apply(told.get(get), delta));
          this.#told(get, told.get(get));
        }
      }
      this.#changed();
    }
  }

  /**
   * @param {string} get
   * @param {any} answer
   */
  #told(get, answer) {
    if (!this.paused || !this.answers.has(get)) {
      this.answers.set(get, answer);
    } else if (get === "/api/overview") {
      this.beyond = answer;
    }
  }
}

export const live = new Live();
