// @ts-check
/**
 * What went over the wires, cut into what can be compared: one part per commit, and in it one turn
 * per message. The client does all it does about a message in one go, so the order shows it.
 */
import { isDeepStrictEqual } from "node:util";

/** @typedef {import("./stage.js").Entry} Entry */

/**
 * @typedef {object} Exchange
 * @property {string} body the request's
 * @property {unknown} [answer] as parsed; a browser's recordings have none
 */

/**
 * A message, and what the client did about it.
 *
 * @typedef {object} Turn
 * @property {{ update_type: string, identifier: { obj_id: unknown, entity: string }, changes: unknown }} told
 * @property {Exchange[]} asked
 * @property {boolean} confirmed
 */

/**
 * From one commit to the next.
 *
 * @typedef {object} Part
 * @property {string | undefined} sql nothing before the first
 * @property {Exchange[]} asked by the page, and not because of a message
 * @property {Turn[]} turns
 */

/**
 * @param {(Entry & { method?: string, body?: string })[]} entries of a stage's log or a recording
 * @returns {Part[]}
 */
export function parts(entries) {
  /** @type {Part} */
  let part = { sql: undefined, asked: [], turns: [] };
  const all = [part];
  /** @type {{ msg_id: unknown, turn: Turn } | undefined} */
  let current;
  for (const entry of entries) {
    const exchange = exchangeOf(entry);
    if (entry.who === "database") {
      part = { sql: entry.sql, asked: [], turns: [] };
      all.push(part);
    } else if (exchange !== undefined) {
      (current?.turn ?? part).asked.push(exchange);
    } else if (entry.dir === "server->client") {
      const { msg_id, data } = JSON.parse(entry.text ?? "");
      current = { msg_id, turn: { told: data, asked: [], confirmed: false } };
      part.turns.push(current.turn);
    } else if (entry.dir === "client->server" && current !== undefined) {
      const { type, data } = JSON.parse(entry.text ?? "");
      const expected = { confirm_message_id: current.msg_id, payload: {} };
      current.turn.confirmed = type === "ConfirmEvent" && isDeepStrictEqual(data, expected);
      current = undefined;
    }
  }
  return all;
}

/** @param {Entry & { method?: string, body?: string }} entry */
function exchangeOf({ request, response, event, method, body }) {
  if (request !== undefined) {
    const answer = response === undefined ? undefined : JSON.parse(response.body);
    return { body: request.body, answer };
  }
  return event === "request" && method === "POST" && body !== undefined ? { body } : undefined;
}
