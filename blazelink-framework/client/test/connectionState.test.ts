import { expect, test } from "vitest";
import {
  ANSWER_WITHIN_MS,
  type ConnectionEvent,
  type ConnectionState,
  deadline,
  FOLLOW_AFTER_MS,
  initialState,
  nextState,
  OPEN_WITHIN_MS,
  PROBE_AFTER_MS,
  STABLE_AFTER_MS,
} from "../src/connectionState.ts";
import { statusOf } from "../src/status.ts";

type Name = ConnectionState["name"];

const CONNECTING: ConnectionState = { name: "connecting", since: 0, failures: 2, startedAt: 100 };
const LIVE: ConnectionState = { name: "live", since: 100, failures: 2, heardAt: 100, probedAt: undefined };
const WAITING: ConnectionState = { name: "waiting", since: 0, failures: 3, until: 2_000 };
const CLOSED: ConnectionState = { name: "closed", since: 100 };

/** What each event makes of each state at time 200, before any deadline. A missing cell does not compile. */
const TABLE: Record<Name, Record<ConnectionEvent, Name>> = {
  connecting: { opened: "live", heard: "connecting", lost: "waiting", left: "waiting", woken: "connecting", due: "connecting", closed: "closed" },
  live: { opened: "live", heard: "live", lost: "waiting", left: "waiting", woken: "live", due: "live", closed: "closed" },
  waiting: { opened: "waiting", heard: "waiting", lost: "waiting", left: "waiting", woken: "connecting", due: "waiting", closed: "closed" },
  closed: { opened: "closed", heard: "closed", lost: "closed", left: "closed", woken: "closed", due: "closed", closed: "closed" },
};

test.each([CONNECTING, LIVE, WAITING, CLOSED])("$name goes where the table says", (state) => {
  for (const [event, name] of Object.entries(TABLE[state.name])) {
    expect([event, nextState(state, event as ConnectionEvent, 200, 0.5).name]).toEqual([event, name]);
  }
});

test("a socket that does not open in time counts as lost", () => {
  const at = deadline(CONNECTING) ?? 0;
  expect(at).toBe(100 + OPEN_WITHIN_MS);
  expect(nextState(CONNECTING, "due", at - 1, 0)).toBe(CONNECTING);
  expect(nextState(CONNECTING, "due", at, 0)).toMatchObject({ name: "waiting", failures: 3 });
});

test("a server that gives way is followed at once, and the page told only when nobody is found", () => {
  const at = LIVE.since + FOLLOW_AFTER_MS;
  const following = nextState(LIVE, "left", at, 0);
  expect(following).toMatchObject({ name: "connecting", startedAt: at });
  expect(statusOf(following)).toEqual({ name: "live", since: LIVE.since });
  const lost = nextState(following, "lost", at + 1, 0);
  expect(lost).toMatchObject({ name: "waiting", failures: 1, since: at });
  expect(statusOf(lost)).toEqual({ name: "offline", since: at });
  expect(nextState(LIVE, "left", at - 1, 0).name).toBe("waiting");
});

test("silence leads to a probe, its answer to peace, its absence to a loss", () => {
  const probed = nextState(LIVE, "due", 100 + PROBE_AFTER_MS, 0);
  expect(probed).toMatchObject({ name: "live", probedAt: 100 + PROBE_AFTER_MS });
  expect(nextState(probed, "heard", 30_000, 0)).toMatchObject({ heardAt: 30_000, probedAt: undefined });
  expect(nextState(probed, "due", 100 + PROBE_AFTER_MS + ANSWER_WITHIN_MS, 0).name).toBe("waiting");
});

test("a page that is looked at again probes once and goes on waiting for the same answer", () => {
  const probed = nextState(LIVE, "woken", 300, 0);
  expect(probed).toMatchObject({ probedAt: 300 });
  expect(nextState(probed, "woken", 400, 0)).toBe(probed);
});

test("the wait doubles with each failure up to half a minute, and starts anew after a stable time", () => {
  let state = initialState(0);
  const waits: number[] = [];
  for (let failures = 0; failures < 9; failures++) {
    state = nextState(state, "lost", 0, 1);
    waits.push(deadline(state) ?? 0);
    state = nextState(state, "woken", 0, 0);
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  const live = nextState(state, "opened", 0, 0);
  expect(nextState(live, "lost", STABLE_AFTER_MS - 1, 0)).toMatchObject({ failures: 10 });
  expect(nextState(live, "lost", STABLE_AFTER_MS, 0)).toMatchObject({ failures: 1 });
});

test("jitter spreads a wait over its upper half", () => {
  const until = (random: number) => deadline(nextState(initialState(0), "lost", 0, random));
  expect([until(0), until(0.5), until(1)]).toEqual([250, 375, 500]);
});

test("the time without a connection counts from the loss, however many attempts fail", () => {
  const lost = nextState(LIVE, "lost", 500, 0);
  const retried = nextState(nextState(lost, "woken", 600, 0), "lost", 700, 0);
  expect(lost.since).toBe(500);
  expect(retried.since).toBe(500);
  expect(nextState(nextState(retried, "woken", 800, 0), "opened", 900, 0).since).toBe(900);
});

test("on any walk a connection is live only by opening, and only a closed one has no deadline", () => {
  const events: ConnectionEvent[] = ["opened", "heard", "lost", "woken", "due"];
  const random = numbers(7);
  let state = initialState(0);
  let now = 0;
  for (let step = 0; step < 20_000; step++) {
    now += Math.floor(random() * 20_000);
    const event = events[Math.floor(random() * events.length)] ?? "due";
    const before = state;
    state = nextState(state, event, now, random());
    expect(state.name === "live" && before.name !== "live" && event !== "opened").toBe(false);
    expect(deadline(state)).toBeTypeOf("number");
    expect(state.since).toBeLessThanOrEqual(now);
  }
});

/** The same numbers for the same seed, so that a failure can be repeated (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
