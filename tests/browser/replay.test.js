// @ts-check
/** What the original's browser client did on the original, it does on Blazelink. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { launch } from "./chromium.js";
import { assertReplayed } from "./original/comparison.js";
import { parts } from "./original/conversation.js";
import { listed } from "./original/deviations.js";
import { Fixture } from "./original/fixture.js";
import { CLASSES } from "./original/models.js";
import { Network } from "./original/network.js";
import { Pages } from "./original/pages.js";
import { recording } from "./original/recordings.js";
import { playSession } from "./original/session.js";
import { Stage } from "./original/stage.js";

const SCREENSHOTS = fileURLToPath(new URL("../../target/browser", import.meta.url));

/** @type {Fixture} */
let fixture;
/** @type {Pages} */
let pages;
/** @type {import("playwright-core").Browser} */
let browser;

before(
  async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    fixture = await Fixture.start();
    pages = await Pages.start();
    browser = await launch();
  },
  { timeout: 30 * 60_000 },
);

beforeEach(async () => {
  await fixture.reset();
  // Whoever reads before the server is past that would be told of it.
  const stage = stageInNode();
  await stage.opened();
  await stage.settled(fixture.sql);
  stage.client.close();
});

after(async () => {
  await browser?.close();
  await pages?.stop();
  const ending = await fixture?.stop();
  assert.equal(ending, 0, "Ctrl-C ends blazelink dev cleanly");
});

/** A client in this process. */
function stageInNode() {
  return new Stage({ host: fixture.host, WebSocket, storage: {}, classes: CLASSES });
}

/**
 * The page of a client in a tab, on another port than the app.
 *
 * @param {string} host the app's
 */
async function openPage(host) {
  const page = await browser.newPage({ viewport: { width: 900, height: 900 } });
  page.on("pageerror", (error) => console.error(error.stack));
  const network = await Network.of(page, host);
  await page.exposeFunction("sql", fixture.sql);
  await page.addInitScript(() => localStorage.setItem("sessionAuthKey", "tok-1"));
  await page.goto(`${pages.origin}/?server=${host}`);
  await page.waitForFunction(() => "stage" in globalThis);
  return { page, network };
}

/** @param {ReturnType<typeof parts>} recorded */
function statements(recorded) {
  return recorded.flatMap(({ sql }) => sql ?? []);
}

/** @param {any[]} conversation */
function checks(conversation) {
  return conversation.flatMap(({ check, ok }) => (check === undefined ? [] : [[check, ok]]));
}

/**
 * @param {string} name of the recording
 * @param {Iterable<string>} met
 */
function assertListed(name, met) {
  assert.deepEqual([...met].sort(), listed(name), `the deviations that ${name} meets`);
}

const { conversation: session } = recording("js-client-session");
const { dependencyMapKeys } = session.at(-1);

test("the session of the recording, in Node", async () => {
  const recorded = parts(session);
  const stage = stageInNode();
  const played = await playSession(stage, statements(recorded), fixture.sql);
  assertListed("js-client-session", assertReplayed(parts(stage.log), recorded));
  assert.deepEqual(played.checks, checks(session));
  assert.deepEqual(played.watchers, dependencyMapKeys);
  assert.deepEqual([stage.errors, stage.warnings], [[], []]);
  // Declared dependencies with a `where` hear of no delete: the original's client stays at 13.
  assert.equal(stage.client.find("User", 1).events.count, 12);
  stage.client.close();
});

test("the same in Chromium, from a page of another port", async () => {
  const recorded = parts(session);
  const { page } = await openPage(fixture.host);
  const played = await page.evaluate(async (statements) => {
    const { stage, playSession, sql } = /** @type {any} */ (globalThis);
    const { checks, watchers } = await playSession(stage, statements, sql);
    return { checks, watchers, log: stage.log, problems: [stage.errors, stage.warnings] };
  }, statements(recorded));
  await page.screenshot({ path: join(SCREENSHOTS, "original.png"), fullPage: true });
  assertListed("js-client-session", assertReplayed(parts(played.log), recorded));
  assert.deepEqual(played.checks, checks(session));
  assert.deepEqual(played.watchers, dependencyMapKeys);
  assert.deepEqual(played.problems, [[], []]);
  await page.close();
});

test("the README's example asks again: foreign keys are told", async () => {
  const { conversation } = recording("js-client-session-readme-tables");
  const [first, ...commits] = parts(conversation);
  assert(first !== undefined);
  // Its tables declared no `player_id`, so the original cut it from what it told.
  const told = parts(session).slice(1);
  assert.deepEqual(statements(commits), statements(told));
  const stage = stageInNode();
  const played = await playSession(stage, statements(commits), fixture.sql);
  const met = assertReplayed(parts(stage.log), [first, ...told]);
  // In place of the one check that failed.
  assertListed("js-client-session-readme-tables", met.add("foreign-keys-in-changes"));
  const failed = checks(conversation).filter(([, ok]) => !ok);
  assert.deepEqual(failed, [["insert: User refetched (where id = player_id), count + 1", false]]);
  assert.deepEqual(
    played.checks,
    checks(conversation).map(([check]) => [check, true]),
  );
  stage.client.close();
});

test("a page of another port of the machine is answered in development", async () => {
  const { conversation } = recording("js-client-chromium");
  const recorded = parts(conversation);
  const { page, network } = await openPage(fixture.host);
  const log = await page.evaluate(async ([statement]) => {
    const { stage, sql } = /** @type {any} */ (globalThis);
    await stage.opened();
    void stage.client.find("User", 1).nick;
    await stage.answered();
    await stage.commit(sql, statement);
    return stage.log;
  }, statements(recorded));
  assertListed("js-client-chromium", assertReplayed(parts(log), recorded));
  const [preflight] = network.sent("OPTIONS");
  assert.equal(preflight?.status, 200);
  const [post] = network.sent("POST");
  assert.equal(post?.status, 200);
  const wire = onTheWire(conversation);
  const names = ["access-control-request-headers", "access-control-request-method", "accept"];
  assert.deepEqual(some(preflight, names), some(wire[0], names));
  assert.equal(preflight.headers.origin, pages.origin);
  const own = ["authorization", "content-type", "content-length", "sec-fetch-site"];
  assert.deepEqual(some(post, own), some(wire[1], own));
  assert.deepEqual([network.handshakes, network.origins], [[101], [pages.origin]]);
  await page.close();
});

test("a page of an origin that is not listed gets nothing in production", async (context) => {
  const { conversation } = recording("js-client-chromium-no-cors");
  const production = await fixture.production();
  context.after(async () => assert.equal(await production.stop(), 0));
  const { page, network } = await openPage(production.host);
  const { body, errors } = await page.evaluate(async () => {
    const { stage } = /** @type {any} */ (globalThis);
    // The original opened the websocket of every page, and only its browser kept back the answer.
    await stage.until("the websocket is refused", () => stage.delays.length > 0);
    void stage.client.find("User", 1).nick;
    await stage.until("the request has failed", () => stage.errors.length > 0);
    const [{ body }] = stage.requests;
    return { body, errors: stage.errors };
  });
  await page.screenshot({ path: join(SCREENSHOTS, "original-refused.png"), fullPage: true });
  assert.deepEqual(errors, ["Failed to fetch"]);
  const statuses = network.sent("OPTIONS").map(({ status }) => status);
  assert.deepEqual(statuses, [403], "the preflight is refused, and no request follows");
  assert.deepEqual([network.handshakes, network.origins], [[], [pages.origin]]);
  assertListed("js-client-chromium-no-cors", ["unlisted-origins"]);
  const [recorded] = parts(conversation);
  assert.equal(body, recorded?.asked[0]?.body);
  await page.close();
});

test("a client hears after a restart what it has missed, and goes on hearing", async () => {
  const { conversation } = recording("js-client-server-restart");
  const recorded = parts(conversation);
  const [before = "", later = ""] = statements(recorded);
  const stage = stageInNode();
  await stage.opened();
  const user = stage.client.find("User", 1);
  void user.nick;
  await stage.answered();
  const names = [user.nick];
  await stage.commit(fixture.sql, before);
  names.push(user.nick);
  const met = assertReplayed(parts(stage.log), recorded.slice(0, 2));

  await fixture.restart();
  await fixture.sql(`update "user" set name = 'meanwhile' where id = 1`);
  await stage.comeBack();
  await stage.until("it shows what it has missed", () => user.nick === "meanwhile");
  await stage.settled(fixture.sql);
  await stage.commit(fixture.sql, later);
  names.push(user.nick);
  assert.deepEqual(names, ["ann", "before", "after"]);
  assertListed("js-client-server-restart", met.add("subscriptions-survive-restarts"));
  stage.client.close();
});

/**
 * The headers that a recording shows as they went over the wire, request by request.
 *
 * @param {any[]} conversation
 */
function onTheWire(conversation) {
  const sent = conversation.filter(({ event }) => event === "request headers on the wire");
  return sent.map(({ headers }) => ({
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    ),
  }));
}

/**
 * @param {{ headers: Record<string, string> } | undefined} request
 * @param {string[]} names
 */
function some(request, names) {
  return names.map((name) => request?.headers[name]);
}
