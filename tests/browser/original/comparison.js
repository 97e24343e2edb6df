// @ts-check
/**
 * A replay against its recording. What must be equal: the bodies of requests, byte for byte;
 * answers, as parsed; messages but for their ids; what the client did about each, in order; and the
 * confirmations. What differs on purpose is made here of the recording, and nothing else may; each
 * difference has its entry in the list of deviations.
 */
import assert from "node:assert/strict";
import { asked } from "./query.js";

/** @typedef {import("./conversation.js").Part} Part */
/** @typedef {import("./conversation.js").Turn} Turn */
/** @typedef {import("./conversation.js").Exchange} Exchange */

/** The original told tables, Blazelink tells the types that clients know. */
const TYPES = new Map([["Gameevent", "GameEvent"]]);

/** What is read of these objects is made from the events of player 1. */
const MADE_FROM_EVENTS = [
  { getter: "user", entity: "User", obj_id: 1, refetches: ["user", "playerStats"] },
  { getter: "playerStats", entity: "PlayerStats", obj_id: null, refetches: ["playerStats"] },
];

const PLAYER = 1;

/**
 * @param {Part[]} replayed
 * @param {Part[]} recorded
 * @returns {Set<string>} the deviations that were met
 */
export function assertReplayed(replayed, recorded) {
  /** @type {Set<string>} */
  const met = new Set();
  assert.deepEqual(
    replayed.map(({ sql }) => sql),
    recorded.map(({ sql }) => sql),
  );
  /** The newest body by getter. @type {Map<string, string>} */
  const bodies = new Map();
  /** Rows that the recording shows. @type {Map<string, any>} */
  const rows = new Map();
  recorded.forEach(({ sql, asked: first, turns }, index) => {
    const part = replayed[index] ?? { asked: [], turns: [] };
    assertAsked(part.asked, first);
    for (const { body } of first) {
      bodies.set(asked(body), body);
    }
    const expected = turns.map((turn) => retold(turn, rows, met));
    const told = part.turns.slice(0, expected.length);
    expected.forEach((turn, index) => {
      assert.deepEqual(told[index]?.told, turn.told, sql);
      assertAsked(told[index]?.asked ?? [], turn.asked);
    });
    const more = derived(expected, bodies);
    if (more.length > 0) {
      met.add("answers-made-from-other-rows");
    }
    assert.deepEqual(besides(part.turns.slice(expected.length)), more, sql);
    assertAnswersAgree(part.turns);
    for (const { confirmed, told } of part.turns) {
      assert(confirmed, `not confirmed: ${JSON.stringify(told)}`);
    }
  });
  return met;
}

/**
 * @param {Exchange[]} replayed
 * @param {Exchange[]} recorded
 */
function assertAsked(replayed, recorded) {
  assert.deepEqual(
    replayed.map(({ body }) => body),
    recorded.map(({ body }) => body),
  );
  recorded.forEach(({ body, answer }, index) => {
    if (answer !== undefined) {
      assert.deepEqual(replayed[index]?.answer, answer, body);
    }
  });
}

/**
 * The turn as it is with Blazelink: the entity is the type's name, and a deleted row is told.
 *
 * @param {Turn} turn
 * @param {Map<string, any>} rows
 * @param {Set<string>} met hears of deviations
 * @returns {Turn}
 */
function retold({ told: { update_type, identifier, changes }, asked, confirmed }, rows, met) {
  const { obj_id, entity: table } = identifier;
  const entity = TYPES.get(table) ?? table;
  if (entity !== table) {
    met.add("names-of-events");
  }
  const row = `${entity} ${obj_id}`;
  if (changes !== null) {
    rows.set(row, changes);
  } else {
    met.add("deleted-rows");
  }
  const told = { update_type, identifier: { obj_id, entity }, changes: changes ?? rows.get(row) };
  return { told, asked, confirmed };
}

/**
 * What is told besides after these messages: objects whose answers were made from other rows, here
 * from the events of a player.
 *
 * @param {Turn[]} turns
 * @param {Map<string, string>} bodies
 */
function derived(turns, bodies) {
  const rows = turns.map(({ told }) => /** @type {any} */ (told.changes));
  if (!rows.some(({ player_id }) => player_id === PLAYER)) {
    return [];
  }
  const read = MADE_FROM_EVENTS.filter(({ getter }) => bodies.has(getter));
  return read.map(({ entity, obj_id, refetches }) => ({
    told: { update_type: "Update", identifier: { obj_id, entity }, changes: {} },
    bodies: refetches.flatMap((getter) => bodies.get(getter) ?? []),
  }));
}

/**
 * Those of one commit have no order.
 *
 * @param {Turn[]} turns
 */
function besides(turns) {
  const all = turns.map(({ told, asked }) => ({ told, bodies: asked.map(({ body }) => body) }));
  const rank = (/** @type {string} */ entity) =>
    MADE_FROM_EVENTS.findIndex((object) => object.entity === entity);
  return all.sort((a, b) => rank(a.told.identifier.entity) - rank(b.told.identifier.entity));
}

/**
 * After one commit a query has one answer, however often it is asked.
 *
 * @param {Turn[]} turns
 */
function assertAnswersAgree(turns) {
  /** @type {Map<string, unknown>} */
  const answers = new Map();
  for (const { body, answer } of turns.flatMap(({ asked }) => asked)) {
    assert.deepEqual(answer, answers.get(body) ?? answer, body);
    answers.set(body, answer);
  }
}
