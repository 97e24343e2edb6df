// @ts-check
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { launch } from "./chromium.js";
import { Dev } from "./dev.js";
import { Tab } from "./tab.js";

const SCREENSHOTS = fileURLToPath(new URL("../../target/browser", import.meta.url));

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const PHONE = { width: 390, height: 844 };

/** @type {Dev} */
let shooter;
/** @type {import("playwright-core").Browser} */
let browser;

/** Who plays: two who shoot at each other, and one who is in no kill until somebody says so. */
let killer = { id: 0, name: "" };
let victim = { id: 0, name: "" };
let bystander = { id: 0, name: "" };

before(
  async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    shooter = await Dev.start("examples/shooter");
    browser = await launch();
    const players = await shooter.psql('SELECT id, name FROM "user" ORDER BY team_id, id');
    const [first, second] = players.map(([id, name]) => ({ id: Number(id), name: String(name) }));
    const last = players.at(-1)?.map(String);
    assert(first !== undefined && second !== undefined && last !== undefined);
    killer = first;
    bystander = second;
    victim = { id: Number(last[0]), name: String(last[1]) };
  },
  { timeout: 30 * 60_000 },
);

after(async () => {
  await browser?.close();
  const ending = await shooter?.stop();
  assert.equal(ending, 0, "Ctrl-C ends blazelink dev cleanly");
});

/** Records a kill as anybody could: with psql, past the app. */
function insertKill(killer = 0, victim = 0) {
  return shooter.psql(
    `INSERT INTO game_event (kind, game_id, player_id, victim_id)
     SELECT 'kill', max(id), ${killer}, ${victim} FROM game`,
  );
}

/** @param {Tab[]} tabs */
async function assertHealthy(...tabs) {
  for (const tab of tabs) {
    assert.deepEqual(tab.problems, []);
    assert.deepEqual([...tab.origins], [new URL(shooter.url("/")).origin]);
    assert(await tab.wasNeverReloaded());
  }
}

test("a kill inserted with psql appears in two tabs, and no frame reaches a tab on another player", async () => {
  const one = await Tab.open(browser, shooter.url("/"));
  const two = await Tab.open(browser, shooter.url("/"), PHONE);
  const other = await Tab.open(browser, shooter.url(`/?player=${bystander.id}`));
  const kills = await one.number(killer.name, "kills");
  const deaths = await two.number(victim.name, "deaths");

  await insertKill(killer.id, victim.id);
  for (const tab of [one, two]) {
    await tab.shows(killer.name, "kills", kills + 1);
    await tab.shows(victim.name, "deaths", deaths + 1);
    await tab.showsNewest(`${killer.name} shot ${victim.name}`);
  }

  // Frames arrive in the order of commits: once a later one has come, an earlier one would have.
  const before = Number(await other.page.locator("#player-kills").textContent());
  await insertKill(bystander.id, victim.id);
  await other.page.locator("#player-kills", { hasText: new RegExp(`^${before + 1}$`) }).waitFor();
  assert.deepEqual(
    other.frames.map(({ type, data }) => [type, data.identifier.entity, data.identifier.obj_id]),
    [["ModelUpdateEvent", "User", bystander.id]],
  );

  await one.shows(bystander.name, "kills", before + 1);
  await two.shows(bystander.name, "kills", before + 1);
  await one.page.screenshot({ path: join(SCREENSHOTS, "desktop.png"), fullPage: true });
  await two.page.screenshot({ path: join(SCREENSHOTS, "phone.png"), fullPage: true });
  await other.page.screenshot({ path: join(SCREENSHOTS, "player.png"), fullPage: true });
  await assertHealthy(one, two, other);
  await Promise.all([one, two, other].map((tab) => tab.page.close()));
});

test("the button records a kill that other tabs show too", async () => {
  const one = await Tab.open(browser, shooter.url("/"));
  const two = await Tab.open(browser, shooter.url("/"));
  const kills = await two.number(killer.name, "kills");
  await one.page.getByLabel("Who shot").selectOption({ label: killer.name });
  await one.page.getByLabel("Who was shot").selectOption({ label: victim.name });
  await one.page.getByRole("button", { name: "Kill" }).click();
  await one.shows(killer.name, "kills", kills + 1);
  await two.shows(killer.name, "kills", kills + 1);
  await two.showsNewest(`${killer.name} shot ${victim.name}`);
  await assertHealthy(one, two);
  await Promise.all([one, two].map((tab) => tab.page.close()));
});

/**
 * What the tool prints in a second terminal.
 *
 * @param {string[]} words
 */
async function tool(...words) {
  const program = join(ROOT, "target/debug/blazelink");
  const { stdout } = await promisify(execFile)(program, ["-C", "examples/shooter", ...words], { cwd: ROOT });
  return stdout;
}

/**
 * What the debugger answers, once it is so.
 *
 * @template T
 * @param {string[]} words
 * @param {(answer: any) => T | undefined} found
 * @returns {Promise<T>}
 */
async function debugged(words, found) {
  let printed = "";
  for (let asked = 0; asked < 200; asked += 1) {
    printed = await tool("--json", ...words);
    const result = found(JSON.parse(printed).answer);
    if (result !== undefined) {
      return result;
    }
  }
  throw new Error(`blazelink ${words.join(" ")} did not come to say what was waited for, but: ${printed}`);
}

test("the terminal tells which way a kill went, and why another tab did not hear of it", async () => {
  const one = await Tab.open(browser, shooter.url("/"));
  const other = await Tab.open(browser, shooter.url(`/?player=${bystander.id}`));
  const kills = await one.number(killer.name, "kills");
  await insertKill(killer.id, victim.id);
  await one.shows(killer.name, "kills", kills + 1);
  const [event] = await shooter.psql("SELECT max(id) FROM game_event");
  const row = `game_event:${event?.[0]}`;

  const update = await debugged(["debug", "updates", `row:${row}`], ({ updates }) => updates[0]);
  assert.deepEqual(update.tables, [{ table: "game_event", inserts: 1, updates: 0, deletes: 0, whole: false }]);
  // Tabs of other tests that are closed wait to be resumed: they are told of it too.
  const heard = await debugged(["debug", "update", String(update.number)], ({ deliveries }) => {
    const confirmed = deliveries.filter((/** @type {any} */ it) => it.state === "confirmed");
    return confirmed.length > 0 ? confirmed : undefined;
  });
  assert.equal(heard.length, 1);
  const live = await debugged(["debug", "sessions", "--state", "live"], ({ sessions }) =>
    sessions.length === 2 ? sessions.map((/** @type {any} */ it) => it.session) : undefined,
  );
  const deaf = live.find((/** @type {string} */ session) => session !== heard[0].session);

  assert.match(await tool("why", heard[0].session, row), /^Delivered: its client had handled it [\d.]+ (µs|ms|s) later\n/);
  assert.match(await tool("why", deaf, row), /^It watches .*GameEvent where player_id = \d+.*, and the row had another victim_id and player_id\n/);
  assert.match(await tool("debug"), /^Live: every commit up to .* was told\n\nsessions /);
  assert.match(await tool("debug", "update", String(update.number)), /Socket .* written to 1 of \d+ sessions?\n/);
  assert.match(await tool("debug", "subscriptions"), /GameEvent where player_id/);
  await assertHealthy(one, other);
  await Promise.all([one, other].map((tab) => tab.page.close()));
});

test("a tab that was cut off shows what it has missed", async () => {
  const tab = await Tab.open(browser, shooter.url("/"));
  const kills = await tab.number(killer.name, "kills");
  await tab.page.context().setOffline(true);
  // Looking at a page again makes it find out at once whether the server is there.
  await tab.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await tab.page.locator('#status[data-state="offline"]').waitFor();
  await insertKill(killer.id, victim.id);
  await tab.page.context().setOffline(false);
  await tab.shows(killer.name, "kills", kills + 1);
  await tab.page.locator('#status[data-state="live"]').waitFor();
  assert(await tab.wasNeverReloaded());
  await tab.page.close();
});

test("the explorer answers a query and shows the schema, from this server alone", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const tab = new Tab(page);
  await page.goto(shooter.graphqlUrl);
  await page.getByLabel("Query").fill('{ user(identifier: {obj_id: 1}) { id name } }');
  await page.getByRole("button", { name: "Run" }).click();
  await page.locator("#answer", { hasText: '"id": 1' }).waitFor();
  await page.locator("#sdl", { hasText: "type GameEvent" }).waitFor();
  await page.screenshot({ path: join(SCREENSHOTS, "explorer.png") });
  assert.deepEqual(tab.problems, []);
  assert.deepEqual([...tab.origins], [new URL(shooter.url("/")).origin]);
  await page.close();
});

test("the documentation of the API needs no other server", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const tab = new Tab(page);
  await page.goto(shooter.url("/api/docs"));
  await page.getByText("Record a kill").first().waitFor();
  await page.screenshot({ path: join(SCREENSHOTS, "api.png") });
  assert.deepEqual([...tab.origins], [new URL(shooter.url("/")).origin]);
  await page.close();
});
