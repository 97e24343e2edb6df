import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FOLLOW_AFTER_MS } from "../src/connectionState.ts";
import type { Snapshot } from "../src/index.ts";
import { FakeServer, update } from "./fakeServer.ts";

const USER = `query ($id: Int) { user(identifier: {obj_id: $id}) { name events { count } } }`;
const EVENTS = `{ gameEvents(size: 3) { count } }`;

let server: FakeServer;
let seen: Snapshot<unknown>[];
const see = (snapshot: Snapshot<unknown>) => seen.push(snapshot);
const names = () => seen.map((snapshot) => snapshot.data);

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  server = new FakeServer();
  seen = [];
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a read is asked at once, in the session of the socket", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  expect(server.question).toMatchObject({ query: USER, variables: { id: 3 }, authorization: undefined });
  expect(server.question.session).toMatch(/^[0-9a-f]{32}$/);
  expect(server.socket.session).toBe(server.question.session);
  expect(server.socket.url).toMatch(/^ws:\/\/server\.test:8000\/ws\/connect\?session_id=/);
  await server.question.answer({ data: { user: { name: "Ada" } } });
  expect(seen).toEqual([
    { state: "live", data: { user: { name: "Ada" } }, errors: [], at: 1_000_000 },
  ]);
});

test("a client behind TLS opens a secure socket, on the port and path of its server", () => {
  server.client({ url: "https://app.test/games/" });
  expect(server.socket.url).toMatch(/^wss:\/\/app\.test\/games\/ws\/connect\?session_id=/);
});

test("authorization is asked for with each question", () => {
  let token = "one";
  const client = server.client({ authorization: () => token });
  client.live(USER, { id: 1 }, see);
  token = "two";
  client.live(USER, { id: 2 }, see);
  expect(server.questions.map((question) => question.authorization)).toEqual(["one", "two"]);
});

test("a notice is confirmed at once and makes the reads that it concerns ask again", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  client.live(USER, { id: 4 }, () => {});
  server.socket.accept();
  await server.questions[0]?.answer({ data: 1 });
  await server.questions[1]?.answer({ data: 2 });
  server.socket.push(update("User", 3, 77));
  expect(server.socket.received).toEqual([
    { type: "ConfirmEvent", data: { confirm_message_id: 77, payload: {} } },
  ]);
  expect(server.questions).toHaveLength(3);
  expect(server.question.variables).toEqual({ id: 3 });
});

test("notices that arrive while a question is under way lead to one more question", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  for (let id = 1; id <= 100; id++) {
    server.socket.push(update("User", 3, id));
  }
  expect(server.questions).toHaveLength(1);
  await server.question.answer({ data: "before" });
  expect(server.questions).toHaveLength(2);
  await server.question.answer({ data: "after" });
  expect(server.questions).toHaveLength(2);
  expect(names()).toEqual(["before", "after"]);
  expect(server.socket.received).toHaveLength(100);
});

test("an answer equal to the last one is not shown again", async () => {
  const client = server.client();
  client.live(EVENTS, {}, see);
  server.socket.accept();
  await server.question.answer({ data: { gameEvents: { count: 1 } } });
  server.socket.push(update("GameEvent", 9));
  await server.question.answer({ data: { gameEvents: { count: 1 } } });
  server.socket.push(update("GameEvent", 10));
  await server.question.answer({ data: { gameEvents: { count: 2 } } });
  expect(server.questions).toHaveLength(3);
  expect(names()).toEqual([{ gameEvents: { count: 1 } }, { gameEvents: { count: 2 } }]);
});

test("a stopped read asks and shows nothing more", async () => {
  const client = server.client();
  const handle = client.live(USER, { id: 3 }, see);
  server.socket.accept();
  const { question } = server;
  handle.stop();
  expect(question.aborted).toBe(true);
  await question.answer({ data: "late" });
  server.socket.push(update("User", 3));
  expect(server.questions).toHaveLength(1);
  expect(seen).toEqual([]);
});

test("a callback that throws keeps no other from being called", async () => {
  const client = server.client();
  const uncaught: unknown[] = [];
  const { queueMicrotask } = globalThis;
  vi.stubGlobal("queueMicrotask", (run: () => void) => {
    queueMicrotask(() => {
      try {
        run();
      } catch (error) {
        uncaught.push(error);
      }
    });
  });
  client.live(USER, { id: 3 }, () => {
    throw new Error("of the page");
  });
  client.live(USER, { id: 3 }, see);
  await server.questions[0]?.answer({ data: 1 });
  await server.questions[1]?.answer({ data: 1 });
  expect(seen).toHaveLength(1);
  expect(uncaught).toEqual([new Error("of the page")]);
});

test("an error of a field is shown beside the rest of the answer", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  const errors = [{ message: "No such row", path: ["user"] }];
  await server.question.answer({ data: { user: null }, errors });
  expect(seen).toMatchObject([{ state: "live", data: { user: null }, errors }]);
});

test("a refused document is an error, and is asked again only when something changes", async () => {
  const client = server.client();
  client.live("{ nope }", {}, see);
  server.socket.accept();
  await server.question.refuse(400, JSON.stringify({ errors: [{ message: "Unknown field" }] }));
  expect(seen).toMatchObject([{ state: "error", data: undefined, error: { message: "Unknown field" } }]);
  vi.advanceTimersByTime(20_000);
  expect(server.questions).toHaveLength(1);
});

test("a question without an answer is asked again, more and more rarely, and keeps the last data", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  await server.question.answer({ data: "good" });
  server.socket.push(update("User", 3));
  await server.question.drop();
  expect(seen[1]).toMatchObject({ state: "error", data: "good", at: 1_000_000 });
  vi.advanceTimersByTime(375);
  await server.question.refuse(503, "Busy");
  vi.advanceTimersByTime(749);
  expect(server.questions).toHaveLength(3);
  vi.advanceTimersByTime(1);
  expect(server.questions).toHaveLength(4);
  await server.question.answer({ data: "good" });
  expect(seen.map((snapshot) => snapshot.state)).toEqual(["live", "error", "live"]);
});

test("a notice does not shorten the wait of a question that fails", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  await server.question.drop();
  server.socket.push(update("User", 3));
  expect(server.questions).toHaveLength(1);
  vi.advanceTimersByTime(375);
  expect(server.questions).toHaveLength(2);
});

test("a question that hangs is given up and asked again", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  const { question } = server;
  vi.advanceTimersByTime(30_000);
  expect(question.aborted).toBe(true);
  vi.advanceTimersByTime(375);
  expect(server.questions).toHaveLength(2);
  await question.answer({ data: "late" });
  await server.question.answer({ data: "new" });
  expect(names()).toEqual([undefined, "new"]);
});

test("after a lost socket everything is asked again, and what was under way is ignored", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  client.live(EVENTS, {}, () => {});
  server.socket.accept();
  await server.questions[1]?.answer({ data: "events" });
  const [old] = server.questions;
  server.socket.fail();
  expect(client.status.current).toEqual({ name: "offline", since: 1_000_000 });
  vi.advanceTimersByTime(375);
  expect(server.sockets).toHaveLength(2);
  expect(server.socket.session).toBe(server.sockets[0]?.session);
  expect(client.status.current.name).toBe("offline");
  server.socket.accept();
  expect(client.status.current).toEqual({ name: "live", since: 1_000_375 });
  expect(server.questions).toHaveLength(4);
  expect(old?.aborted).toBe(true);
  await old?.answer({ data: "old" });
  await server.questions[2]?.answer({ data: "new" });
  expect(names()).toEqual(["new"]);
});

test("the first socket makes nothing be asked a second time", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  await server.question.answer({ data: 1 });
  server.socket.accept();
  expect(server.questions).toHaveLength(1);
});

test("the status is told to those who subscribe, and each state once", () => {
  const client = server.client();
  const states: string[] = [];
  const end = client.status.subscribe((status) => states.push(status.name));
  server.socket.accept();
  server.socket.push(update("User", 3));
  server.socket.fail();
  vi.advanceTimersByTime(375);
  server.socket.fail();
  vi.advanceTimersByTime(750);
  server.socket.accept();
  end();
  client.close();
  expect(states).toEqual(["connecting", "live", "offline", "live"]);
  expect(client.status.current.name).toBe("closed");
});

test("a server that gives way is followed at once: the page notices nothing and is asked again", async () => {
  const client = server.client();
  const states: string[] = [];
  client.status.subscribe((status) => states.push(status.name));
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  await server.question.answer({ data: 1 });
  vi.advanceTimersByTime(FOLLOW_AFTER_MS);
  const before = server.socket;
  before.fail(1001);
  expect(server.socket).not.toBe(before);
  server.socket.accept();
  expect(server.questions).toHaveLength(2);
  expect(states.slice(1)).not.toContain("offline");
  expect(client.status.current.name).toBe("live");
});

test("what a given up socket says late changes nothing", () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  const old = server.socket;
  vi.advanceTimersByTime(35_000);
  vi.advanceTimersByTime(375);
  server.socket.accept();
  const asked = server.questions.length;
  old.push(update("User", 3));
  old.fail(4409);
  expect(client.status.current.name).toBe("live");
  expect(server.questions).toHaveLength(asked);
});

test("a server that falls silent is asked whether it is there, then given up", () => {
  const client = server.client();
  server.socket.accept();
  vi.advanceTimersByTime(25_000);
  expect(server.socket.received).toEqual([{ type: "PingEvent", data: { ping_id: 1 } }]);
  server.socket.push({ type: "PingInEvent", msg_id: 4, data: { ping_id: 1 } });
  vi.advanceTimersByTime(25_000);
  expect(server.socket.received).toHaveLength(2);
  expect(client.status.current.name).toBe("live");
  vi.advanceTimersByTime(10_000);
  expect(client.status.current.name).toBe("offline");
  expect(server.socket.readyState).toBe(3);
});

test("a session that was taken over is left, and everything is asked in a new one", () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  server.socket.fail(4409);
  vi.advanceTimersByTime(375);
  server.socket.accept();
  expect(server.socket.session).not.toBe(server.sockets[0]?.session);
  expect(server.question.session).toBe(server.socket.session);
});

test("frames that mean nothing are neither confirmed nor harmful", () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  for (const frame of ["", "nonsense", "[]", "null", "{}", '{"type":7}', '{"type":"Hello"}']) {
    server.socket.push(frame);
  }
  server.socket.pushBinary();
  expect(server.socket.received).toEqual([]);
  expect(client.status.current.name).toBe("live");
});

test("a notice that names nothing is still confirmed", () => {
  server.client();
  server.socket.accept();
  server.socket.push({ type: "ModelUpdateEvent", msg_id: "a", data: null });
  expect(server.socket.received).toEqual([
    { type: "ConfirmEvent", data: { confirm_message_id: "a", payload: {} } },
  ]);
});

test("a closed client ends its reads and its socket, and refuses new reads", async () => {
  const client = server.client();
  client.live(USER, { id: 3 }, see);
  server.socket.accept();
  client.close();
  await server.question.answer({ data: 1 });
  vi.advanceTimersByTime(120_000);
  expect(seen).toEqual([]);
  expect(server.sockets).toHaveLength(1);
  expect(server.socket.readyState).toBe(3);
  expect(() => client.live(USER, { id: 3 }, see)).toThrow("closed");
});
