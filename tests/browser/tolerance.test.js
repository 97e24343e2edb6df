// @ts-check
/**
 * The client of the original that the other tests use behaves as the original's did against a
 * scripted server: what it accepts, asks again, confirms, and how it comes back.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { scalar } from "./original/field.js";
import { dependency } from "./original/model.js";
import { CLASSES } from "./original/models.js";
import { asked } from "./original/query.js";
import { recording } from "./original/recordings.js";
import { ScriptedServer } from "./original/scripted.js";
import { Stage } from "./original/stage.js";

const recorded = recording("js-client-tolerance");

/** What the recorded client declared besides the models of its README. @type {import("./original/model.js").Class[]} */
const FURTHER = [
  { entity: "PlayerMatchResult", fields: { id: scalar("id") } },
  {
    entity: "OrModel",
    fields: { id: scalar("id"), name: scalar("name") },
    dependencies: [dependency("GameEvent", { where: { id: "player_id", name: "type" } })],
  },
  {
    entity: "Failing",
    fields: { id: scalar("id") },
    dependencies: [dependency("Game", { predicate: fail })],
  },
];

const ANSWERS = {
  user: { id: 1, name: "A", events: { items: [], count: 0 } },
  gameEvent: { id: 5, type: "kill", player: null, game: null },
  playerMatchResult: { id: 1 },
  orModel: { id: 1, name: "n" },
  failing: { id: 1 },
};

/** No class has this name: it is confirmed and does nothing else. */
const LAST = {
  type: "ModelUpdateEvent",
  msg_id: "last",
  data: { update_type: "Update", identifier: { obj_id: 1, entity: "NoClass" }, changes: {} },
};

/** @type {ScriptedServer} */
let server;
/** @type {Stage} */
let stage;

before(async () => {
  server = await ScriptedServer.start();
  for (const [getter, row] of Object.entries(ANSWERS)) {
    server.answers[getter] = JSON.stringify({ data: { [getter]: row } });
  }
  const classes = [...CLASSES, ...FURTHER];
  stage = new Stage({ host: server.host, WebSocket, storage: {}, classes });
  await stage.opened();
  const { client } = stage;
  const models = [
    client.find("User", 1),
    client.find("GameEvent", 5),
    client.find("PlayerMatchResult", 1),
    client.find("OrModel", 1),
    client.find("Failing", 1),
  ];
  for (const model of models) {
    void model.id;
    await stage.answered();
  }
});

after(async () => {
  stage.client.close();
  await server.stop();
});

/** @returns {boolean} */
function fail() {
  throw new Error("predicate failed");
}

test("the first request has the headers that were recorded", () => {
  const names = ["Content-Type", "session_id", "Authorization", "content-length"];
  const own = (/** @type {string[]} */ raw) =>
    raw.flatMap((name, index) => {
      const value = name === "session_id" ? "" : raw[index + 1];
      return index % 2 === 0 && names.includes(name) ? [[name, value]] : [];
    });
  assert.deepEqual(own(server.firstHeaders), own(recorded.first_request_raw_headers_node));
  assert.match(stage.client.sessionId, /^[0-9a-z]{16,26}$/);
});

for (const message of recorded.websocket_messages) {
  test(`a message: ${message.what}`, async () => {
    const isBinary = message.what.startsWith("binary frame");
    const since = stage.log.length;
    const failed = stage.errors.length;
    server.send(isBinary ? binaryFrame() : message.sent);
    server.send(JSON.stringify(LAST));
    await stage.until("the last message is confirmed", () => confirmed(since).includes("last"));
    const bodies = stage.log.slice(since).flatMap(({ request }) => (request ? [request.body] : []));
    assert.deepEqual(bodies.map(asked), message.refetched);
    const expected = message.confirmed.map((/** @type {string} */ text) => idOf(text));
    assert.deepEqual(confirmed(since), [...expected, "last"]);
    assert.deepEqual(stage.errors.slice(failed), message.client_error);
    await stage.answered();
  });
}

for (const { what, answer, thrown, later_errors, name_after, events_after } of recorded.graphql_answers) {
  test(`an answer: ${what}`, async () => {
    const failed = stage.errors.length;
    const user = stage.client.find("User", 1);
    server.answers.user = answer;
    user.refetch();
    await stage.answered();
    // The texts are the engine's and name variables.
    const expected = (thrown === null ? 0 : 1) + later_errors.length;
    assert.equal(stage.errors.length - failed, expected, stage.errors.at(-1));
    assert.equal(user.nick, name_after);
    assert.equal(user.events.length, events_after);
    const same = user.events.at(0) === stage.client.find("GameEvent", 5);
    if (what.startsWith("item with modifiers null")) {
      assert.equal(same, recorded.cache_identity.modifiers_null_is_same_instance_as_Find);
    }
    if (what.startsWith('item with modifiers "[]"')) {
      assert.equal(same, recorded.cache_identity.normal_is_same_instance_as_Find);
    }
  });
}

test("a dependency cannot be declared without options", () => {
  const declare = /** @type {(entity: string) => unknown} */ (dependency);
  assert.throws(() => declare("GameEvent"), TypeError);
});

test("it comes back later each time, with the same session, and says nothing then", async () => {
  const requests = stage.requests.length;
  const seconds = recorded.reconnect_delays_seconds.map(Math.round);
  for (const _ of seconds) {
    server.hangUp();
    await stage.comeBack();
    const since = stage.log.length;
    server.send(JSON.stringify(LAST));
    await stage.until("the message is confirmed", () => confirmed(since).includes("last"));
    assert.deepEqual(confirmed(since), ["last"]);
  }
  assert.deepEqual(stage.delays, seconds);
  for (const _ of [21, 26, 30, 30]) {
    server.hangUp();
    await stage.comeBack();
  }
  assert.deepEqual(stage.delays.slice(seconds.length), [21, 26, 30, 30]);
  assert.equal(stage.requests.length, requests);
  const path = `/ws/connect?session_id=${stage.client.sessionId}`;
  assert.deepEqual(new Set(server.paths), new Set([path]));
});

/**
 * The ids that the client has confirmed since this entry of the log.
 *
 * @param {number} since
 */
function confirmed(since) {
  const sent = stage.log.slice(since).filter(({ dir }) => dir === "client->server");
  return sent.map(({ text = "" }) => idOf(text));
}

/** @param {string} text */
function idOf(text) {
  return JSON.parse(text).data.confirm_message_id;
}

function binaryFrame() {
  const identifier = { obj_id: 5, entity: "GameEvent" };
  const data = { update_type: "Update", identifier, changes: {} };
  return Buffer.from(JSON.stringify({ type: "ModelUpdateEvent", msg_id: 23, data }));
}
