// @ts-check
/** Clients that ask again and again, and count what went wrong. */
import http from "node:http";

/** @typedef {{ answered: number, failed: string[] }} Outcome */

/** Four clients: two that keep their connection, and two that open one per request. */
export class Loopers {
  #going = true;
  /** @type {Promise<void>[]} */
  #clients = [];
  /** @type {Outcome} */
  #outcome = { answered: 0, failed: [] };

  /** @param {string[]} urls what is asked for, in turn */
  constructor(urls) {
    for (const keepAlive of [true, true, false, false]) {
      const agent = new http.Agent({ keepAlive, maxSockets: 1 });
      this.#clients.push(this.#loop(agent, urls));
    }
  }

  /** Lets each client end its request, and returns how it went. */
  async stop() {
    this.#going = false;
    await Promise.all(this.#clients);
    return this.#outcome;
  }

  /**
   * @param {http.Agent} agent
   * @param {string[]} urls
   */
  async #loop(agent, urls) {
    for (let at = 0; this.#going; at += 1) {
      const url = urls[at % urls.length] ?? "";
      try {
        const status = await get(url, agent);
        this.#outcome.answered += 1;
        if (status !== 200) {
          this.#outcome.failed.push(`${url}: ${status}`);
        }
      } catch (error) {
        this.#outcome.failed.push(`${url}: ${error instanceof Error ? error.message : error}`);
      }
    }
    agent.destroy();
  }
}

/**
 * @param {string} url
 * @param {http.Agent} agent
 * @returns {Promise<number>}
 */
function get(url, agent) {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent }, (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? 0));
        answer.on("error", reject);
      })
      .on("error", reject);
  });
}
