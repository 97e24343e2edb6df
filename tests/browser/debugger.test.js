// @ts-check
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { launch } from "./chromium.js";
import { Desk } from "./desk.js";
import { Dev } from "./dev.js";
import { Tab } from "./tab.js";

const SCREENSHOTS = fileURLToPath(new URL("../../target/browser/debugger", import.meta.url));

const SCREENS = ["", "updates", "path", "sessions", "subscriptions", "schema", "explorer", "replication", "recordings"];

/** @type {Dev} */
let shooter;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Tab[]} */
let players = [];

before(
  async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    shooter = await Dev.start("examples/shooter");
    browser = await launch();
    const addresses = ["/", "/?player=1", "/?player=2"];
    players = await Promise.all(addresses.map((address) => Tab.open(browser, shooter.url(address))));
    await insertKill();
  },
  { timeout: 30 * 60_000 },
);

after(async () => {
  await browser?.close();
  assert.equal(await shooter?.stop(), 0);
});

/** Commits one row that every open page watches or does not. */
async function insertKill() {
  await shooter.psql(
    `INSERT INTO game_event (kind, game_id, player_id, victim_id)
     SELECT 'kill', max(game.id), min("user".id), max("user".id) FROM game, "user"`,
  );
}

test("the address that dev prints opens it, and no other does", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  await desk.page.getByRole("heading", { name: "Pulse" }).waitFor();
  assert.equal(new URL(desk.page.url()).hash, "", "the key does not stay in the address");
  assert.deepEqual(desk.problems, []);
  await desk.page.close();

  const context = await browser.newContext();
  const stranger = await context.newPage();
  await stranger.goto(new URL(shooter.debuggerUrl).origin);
  await stranger.getByText("It opens with its key").waitFor();
  await stranger.getByLabel("Key").fill("wrong");
  await stranger.keyboard.press("Enter");
  await stranger.getByText("It opens with its key").waitFor();
  await stranger.getByLabel("Key").fill(new URL(shooter.debuggerUrl).hash.replace("#key=", ""));
  await stranger.keyboard.press("Enter");
  await stranger.getByRole("navigation", { name: "Screens" }).waitFor();
  await context.close();
});

for (const screen of SCREENS) {
  test(`the screen ${screen || "pulse"} is for everybody, in the dark and in the light`, async () => {
    const desk = await Desk.open(browser, shooter.debuggerUrl);
    await desk.go(`/${screen}`);
    for (const theme of ["dark", "light"]) {
      await desk.page.emulateMedia({ colorScheme: /** @type {"dark" | "light"} */ (theme) });
      assert.deepEqual(await desk.violations(), [], theme);
      await desk.page.screenshot({ path: join(SCREENSHOTS, `${screen || "pulse"}-${theme}.png`) });
    }
    await desk.page.keyboard.press("v");
    assert.deepEqual(await desk.violations(), [], "with tables for charts");
    await desk.page.setViewportSize({ width: 320, height: 640 });
    const [wide, fits] = await desk.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert((wide ?? 0) <= (fits ?? 0), "nothing is cut off on a small screen");
    assert.deepEqual(desk.problems, []);
    await desk.page.close();
  });
}

test("the first screen is there after 60 kB", async () => {
  const page = await browser.newPage();
  /** @type {Promise<number>[]} */
  const sizes = [];
  page.on("response", (response) => {
    if (!response.url().includes("/api/")) {
      sizes.push(response.body().then((body) => gzipSync(body, { level: 9 }).length));
    }
  });
  await page.goto(shooter.debuggerUrl);
  await page.getByRole("heading", { name: "Pulse" }).waitFor();
  await page.waitForLoadState("load");
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  assert(sizes.length > 10 && bytes <= 60_000, `${sizes.length} files of ${bytes} bytes`);
  await page.close();
});

test("what the screens show is what the API says in that moment", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  await desk.go("/sessions");
  const sessions = await desk.agree(
    async () => (await desk.cells("Sessions")).map(([label, state, , , watches]) => [label, state?.slice(2), watches]),
    async () => (await desk.api("/api/sessions?limit=50")).sessions.map((/** @type {any} */ it) => [it.session, it.state, String(it.subscriptions)]),
  );
  assert.deepEqual(sessions.shown, sessions.said);

  await desk.go("/updates");
  await insertKill();
  const updates = await desk.agree(
    async () => (await desk.cells("Updates")).map(([number, , , , told, handled]) => [number, told, handled]),
    async () => (await desk.api("/api/updates?limit=40")).updates.map((/** @type {any} */ it) => [String(it.number), String(it.funnel.told), String(it.funnel.confirmed)]),
  );
  assert(updates.said.length > 1);
  assert.deepEqual(updates.shown, updates.said);

  for (const by of ["change", "cause"]) {
    await desk.go(`/updates?by=${by}`);
    const groups = await desk.agree(
      async () => (await desk.cells("Updates in groups")).map((cells) => cells.slice(0, 3)),
      async () => {
        const { kinds, all } = await desk.api(`/api/summary?by=${by}`);
        return [...kinds, all].map((/** @type {any} */ it) => [it.what, `${it.updates}`, `${it.told}`]);
      },
    );
    assert(groups.said.length > 1);
    assert.deepEqual(groups.shown, groups.said);
    assert.deepEqual(await desk.violations(), []);
  }

  await desk.go(`/path/${updates.said[0]?.[0]}`);
  await desk.page.keyboard.press("v");
  const told = await desk.agree(
    async () => (await desk.cells("Funnel")).map(([, count]) => Number(count)),
    async () => {
      const { funnel } = (await desk.api(`/api/updates/${updates.said[0]?.[0]}`)).update;
      return [funnel.changed, funnel.candidates, funnel.denied, funnel.told, funnel.merged, funnel.sent, funnel.confirmed];
    },
  );
  assert.deepEqual(told.shown, told.said);

  await desk.go("/subscriptions");
  const shapes = await desk.agree(
    async () => (await desk.cells("Shapes of subscriptions")).map(([shape, , sessions, dependencies]) => [shape, sessions, dependencies]),
    async () => (await desk.api("/api/subscriptions")).shapes.map((/** @type {any} */ it) => [it.shape, String(it.sessions), it.dependencies.toLocaleString("en-US")]),
  );
  assert.deepEqual(shapes.shown, shapes.said);

  await desk.go("/");
  const ever = await desk.agree(
    () => desk.page.locator(".stages .ever").allTextContents(),
    async () => (await desk.api("/api/overview")).stages.map((/** @type {any} */ it) => `${it.total.toLocaleString("en-US")} since start`),
  );
  assert.deepEqual(ever.shown, ever.said);
  const waiting = await desk.agree(
    () => desk.page.locator(".stages .depth b").allTextContents(),
    async () => (await desk.api("/api/overview")).stages.flatMap((/** @type {any} */ it) => (it.waiting === null ? [] : [it.waiting.toLocaleString("en-US")])),
  );
  assert.equal(waiting.said.length, 2);
  assert.deepEqual(waiting.shown, waiting.said);
  await desk.page.close();
});

test("a commit shows up by itself, unless it is held", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  await desk.go("/updates");
  const newest = async () => Number((await desk.cells("Updates"))[0]?.[0]);
  const before = await newest();
  await insertKill();
  await desk.page.getByRole("link", { name: String(before + 1), exact: true }).waitFor();
  await desk.page.keyboard.press("Space");
  await desk.page.getByText("Held by you: 0 updates since").waitFor();
  await insertKill();
  await desk.page.getByText("Held by you: 1 update since").waitFor();
  assert.equal(await newest(), before + 1);
  await desk.page.keyboard.press("Space");
  await desk.page.getByRole("link", { name: String(before + 2), exact: true }).waitFor();
  await desk.page.close();
});

test("everything is done with the keyboard alone", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  const { page } = desk;
  await insertKill();
  const heading = (/** @type {string | RegExp} */ name) => page.getByRole("heading", { name, level: 1 }).waitFor();
  await heading("Pulse");
  for (const [key, name] of [["2", "Updates"], ["4", "Sessions"], ["5", "Subscriptions"], ["6", "Schema"], ["7", "Explorer"], ["8", "Replication"], ["9", "Recordings"], ["1", "Pulse"]]) {
    await page.keyboard.press(String(key));
    await heading(new RegExp(`^${name}`));
  }
  await page.keyboard.press("/");
  await page.locator("#filter:focus").waitFor();
  await page.keyboard.type("table:game_event colour:red");
  await page.keyboard.press("Enter");
  await page.locator("#wrong").waitFor();
  assert.equal(await page.locator("#filter").getAttribute("aria-invalid"), "true");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("table:game_event");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Updates" }).waitFor();
  assert.equal(new URL(page.url()).search, "?filter=table%3Agame_event");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  const chosen = (await page.locator("tr.chosen td").first().textContent())?.trim();
  await page.keyboard.press("Enter");
  await heading(`Update ${chosen}`);
  await desk.shown();
  await page.keyboard.press("p");
  await page.getByRole("button", { name: "★ kept" }).waitFor();
  await page.keyboard.press("p");
  await page.getByRole("button", { name: "☆ keep" }).waitFor();
  await page.keyboard.press("[");
  await heading(`Update ${Math.max(1, Number(chosen) - 1)}`);
  await page.keyboard.press("]");
  await heading(`Update ${chosen}`);
  await desk.shown();
  await page.keyboard.press("j");
  await page.keyboard.press("w");
  const verdict = (await page.getByRole("dialog").locator(".verdict").textContent()) ?? "";
  assert.doesNotMatch(verdict, /not recorded/, "what is asked about is a row of the commit");
  assert.deepEqual(await desk.violations(), []);
  await page.screenshot({ path: join(SCREENSHOTS, "why-dark.png") });
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  await heading(/^Session s_/);
  await desk.shown();
  assert.deepEqual(await desk.violations(), []);
  await page.screenshot({ path: join(SCREENSHOTS, "session-dark.png") });
  await page.keyboard.press("Escape");
  await heading(/^Sessions/);
  await page.keyboard.press("t");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "light");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  assert.deepEqual(await desk.violations(), []);
  await page.getByLabel("Single keys are on").press("Space");
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("1");
  assert.match(new URL(page.url()).pathname, /^\/sessions/, "single keys can be put out");
  assert.deepEqual(desk.problems, []);
  await page.close();
});

test("a query is asked, and each change of its answer is shown while it is live", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  const { page } = desk;
  await desk.go("/explorer");
  const query = page.getByLabel("Query");
  await page.waitForFunction(() => /** @type {HTMLTextAreaElement | null} */ (document.querySelector(".query textarea"))?.value.includes("items { row {"));
  await query.focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("{ gameEvents(size: 3, orderBy: [{id: DESC}]) { count items { row { id kind } } } }");
  await page.getByLabel("live").press("Space");
  await query.press("Control+Enter");
  const answer = page.getByLabel("The answer");
  const count = async () => Number(/"count": (\d+)/.exec((await answer.textContent()) ?? "")?.[1]);
  await page.getByText("nothing of it has changed yet").waitFor();
  const before = await count();
  assert.deepEqual(await desk.violations(), []);
  await insertKill();
  await page.locator(".answer ins").first().waitFor();
  assert.equal(await count(), before + 1);
  const watched = await desk.cells("What it watches");
  assert(watched.some(([read, words]) => read === "game_event" && words?.startsWith("GameEvent")));
  await page.screenshot({ path: join(SCREENSHOTS, "explorer-answer.png") });
  await page.getByRole("tab", { name: /Statements/ }).press("Enter");
  const statement = (await page.getByLabel("A statement").first().textContent()) ?? "";
  assert.match(statement, /SELECT .*game_event/s);
  assert.deepEqual(await desk.violations(), []);

  await query.fill('mutation { deleteGame(identifier: {obj_id: 1}) }');
  await query.press("Control+Enter");
  await page.getByRole("alert").getByText("only reads").waitFor();
  assert.deepEqual(
    desk.problems.filter((it) => !it.includes("409")),
    [],
  );
  await page.close();
});

test("the badge in a page opens the debugger on the session of that page", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(shooter.url("/?player=1"));
  await page.locator('#status[data-state="live"]').waitFor();
  const badge = page.getByRole("link", { name: "Open the debugger" });
  const [debuggers] = await Promise.all([context.waitForEvent("page"), badge.press("Enter")]);
  await debuggers.getByRole("heading", { name: /^Session s_/, level: 1 }).waitFor();
  await debuggers.locator(".facts .state.live").waitFor();
  const [again] = await Promise.all([page.waitForEvent("websocket"), debuggers.getByRole("button", { name: "close its socket" }).press("Enter")]);
  assert.match(again.url(), /\/ws\/connect/, "its page comes back by itself");
  assert.equal(new URL(debuggers.url()).hash, "", "the key does not stay in the address");
  const asked = await page.evaluate(async () => (await fetch("/blazelink/dev/debugger")).status);
  assert.equal(asked, 403, "no script learns where it leads");
  await context.close();
});

test("what may follow in a query is said, and taken with keys", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  const { page } = desk;
  await desk.go("/explorer");
  const query = page.getByLabel("Query");
  const found = page.getByRole("listbox", { name: "What may follow" }).getByRole("option");
  await query.focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("{ use");
  await found.first().waitFor();
  assert.deepEqual(await found.allTextContents(), ["user", "users"]);
  assert.deepEqual(await desk.violations(), []);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await query.inputValue(), "{ user");
  await page.keyboard.type("(identifier: {obj_id: 1}) { te");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.type(" { row { ");
  await page.keyboard.press("Control+Space");
  await page.getByRole("option", { name: "color", exact: true }).waitFor();
  await page.keyboard.type("color } } } }");
  await page.keyboard.press("Escape");
  await query.press("Control+Enter");
  await page.getByLabel("The answer").getByText('"color"').waitFor();
  assert.deepEqual(desk.problems, []);
  await page.close();
});

test("everything is found from the palette, and an update is taken away", async () => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const desk = new Desk(page, shooter.debuggerUrl);
  await page.goto(shooter.debuggerUrl);
  await page.getByRole("heading", { name: "Pulse" }).waitFor();
  await insertKill();
  const [newest] = (await desk.api("/api/updates?limit=1&filter=table:game_event")).updates;
  const palette = page.getByRole("dialog", { name: "What to do" });
  const find = async (/** @type {string} */ text) => {
    await page.keyboard.press("Control+k");
    await palette.waitFor();
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
    await palette.waitFor({ state: "detached" });
  };
  await page.keyboard.press("Control+k");
  await palette.getByRole("option", { name: "Pulse" }).waitFor();
  assert.deepEqual(await desk.violations(), []);
  await page.keyboard.press("Escape");
  await palette.waitFor({ state: "detached" });
  await find("repli");
  await page.getByRole("heading", { name: /^Replication/ }).waitFor();
  await find(String(newest.number));
  await page.getByRole("heading", { name: `Update ${newest.number}` }).waitFor();
  await desk.shown();

  assert.equal(await page.locator(".multiples li").count(), newest.funnel.told);
  const told = page.getByRole("heading", { name: "Because of it" }).locator("..");
  await told.getByText("what is computed from it was read again").waitFor();
  assert.deepEqual(await desk.violations(), []);
  await page.screenshot({ path: join(SCREENSHOTS, "path-few.png"), fullPage: true });
  await page.getByRole("button", { name: "copy as text" }).press("Enter");
  await page.getByRole("button", { name: "copied" }).waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, new RegExp(`^update ${newest.number}, commit ${newest.lsn}`));
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "save without values" }).press("Enter")]);
  const saved = JSON.parse(await readFile(await file.path(), "utf8"));
  assert.equal(saved.update.lsn, newest.lsn);
  for (const column of saved.changes.flatMap((/** @type {any} */ it) => it.columns)) {
    assert.deepEqual([column.before, column.after], [null, null]);
  }

  await find("table:user");
  await page.getByRole("heading", { name: /^Updates/ }).waitFor();
  assert.equal(new URL(page.url()).search, "?filter=table%3Auser");
  await find("http api");
  await page.getByRole("heading", { name: "The HTTP API of the debugger" }).waitFor();
  await page.getByRole("heading", { name: "GET /api/why" }).waitFor();
  assert.deepEqual(await desk.violations(), []);
  await page.screenshot({ path: join(SCREENSHOTS, "api-dark.png") });
  assert.deepEqual(desk.problems, []);
  await context.close();
});

test("what happens is recorded, gone through, replayed and deleted, with keys alone", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  const { page } = desk;
  await desk.shown();
  await page.keyboard.press("r");
  await page.getByRole("link", { name: "recording", exact: true }).waitFor();
  await insertKill();
  await insertKill();
  const last = async () => (await desk.api("/api/updates?limit=1&filter=table:game_event")).updates[0];
  await desk.agree(async () => 2, async () => ((await desk.api("/api/recordings")).running.updates >= 2 ? 2 : 0));
  const live = await desk.api(`/api/updates/${(await last()).number}`);
  await page.keyboard.press("9");
  await page.getByRole("button", { name: "Stop" }).waitFor();
  assert.deepEqual(await desk.violations(), []);
  await page.keyboard.press("r");
  await page.getByRole("button", { name: "Record" }).waitFor();
  const [{ name }] = (await desk.api("/api/recordings")).recordings;
  await page.getByRole("link", { name, exact: true }).waitFor();
  await page.screenshot({ path: join(SCREENSHOTS, "recordings-dark.png") });

  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `Recording ${name}`, level: 1 }).waitFor();
  const slider = page.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("End");
  await page.getByText(`update ${live.update.number},`).waitFor();
  await page.getByText(live.update.lsn).waitFor();
  const then = page.getByRole("heading", { name: /^Who watched what then/ }).locator("..");
  const watched = await desk.agree(
    async () => (await then.locator("summary code").allTextContents()).sort(),
    async () => (await desk.api(`/api/recordings/${name}/updates/${live.update.number}/sessions`)).sessions.map((/** @type {any} */ it) => it.session).sort(),
  );
  assert.deepEqual(watched.shown, watched.said);
  const told = live.deliveries.map((/** @type {any} */ it) => it.session);
  assert(told.length > 0 && told.every((/** @type {string} */ it) => watched.said.includes(it)));
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Replay against this build" }).press("Enter");
  await page.getByText("as recorded, none differs").waitFor();
  assert.deepEqual(await desk.violations(), []);
  await page.screenshot({ path: join(SCREENSHOTS, "recording-dark.png") });
  await page.keyboard.press("[");
  await page.getByText(`update ${live.update.number},`).waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await page.keyboard.type("table:none");
  await page.keyboard.press("Enter");
  await page.getByText("None of these").waitFor();
  await page.getByRole("link", { name: "Show all" }).press("Enter");
  await slider.waitFor();

  await page.keyboard.press("r");
  await page.getByRole("link", { name: "recording", exact: true }).waitFor();
  await insertKill();
  await desk.agree(async () => 1, async () => ((await desk.api("/api/recordings")).running.updates >= 1 ? 1 : 0));
  await page.keyboard.press("r");
  const second = page.getByRole("combobox", { name: "With" });
  await second.waitFor();
  const [other] = (await desk.api("/api/recordings")).recordings.filter((/** @type {any} */ it) => it.name !== name);
  await second.selectOption(other.name);
  const compared = await desk.agree(
    async () => (await desk.cells("Compared")).map(([what, commits, commitsOfOther, told, toldOfOther]) => [what, commits, commitsOfOther, told, toldOfOther]),
    async () => {
      const [one, two] = await Promise.all([name, other.name].map((of) => desk.api(`/api/recordings/${of}/summary`)));
      const kills = (/** @type {any} */ of) => of.kinds.find((/** @type {any} */ it) => it.what === "insert game_event");
      return [[one.all, two.all], [kills(one), kills(two)]].map(([a, b]) => [a.what, `${a.updates}`, `${b.updates}`, `${a.told}`, `${b.told}`]);
    },
  );
  assert.deepEqual(compared.shown, compared.said);
  assert.deepEqual(compared.said[1]?.slice(0, 3), ["insert game_event", "2", "1"]);
  assert.deepEqual(await desk.violations(), []);

  await page.getByRole("button", { name: "Delete" }).press("Enter");
  await page.getByRole("button", { name: "Delete it for good" }).press("Enter");
  await page.getByRole("heading", { name: /^Recordings/, level: 1 }).waitFor();
  await page.getByRole("link", { name, exact: true }).waitFor({ state: "detached" });
  assert.deepEqual(desk.problems, []);
  await page.close();
});

test("the drawer says why each page did or did not hear of a kill, as the terminal does", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  await insertKill();
  const [newest] = (await desk.api("/api/updates?limit=1&filter=table:game_event")).updates;
  const { changes } = await desk.api(`/api/updates/${newest.number}`);
  const all = (await desk.api("/api/sessions?limit=500")).sessions;
  const sessions = all.filter((/** @type {any} */ it) => it.state !== "offline");
  assert(sessions.length >= players.length);
  for (const { session } of sessions) {
    await desk.page.keyboard.press("w");
    const dialog = desk.page.getByRole("dialog");
    await dialog.getByLabel("Session").fill(session);
    await dialog.getByLabel("Row").fill(changes[0].object);
    await dialog.getByRole("button", { name: "Ask" }).click();
    const shown = await desk.agree(
      async () => (await dialog.locator(".verdict").textContent()) ?? "",
      async () => (await desk.api(`/api/why?session=${session}&object=${changes[0].object}`)).sentence,
    );
    assert.equal(shown.shown, shown.said);
    await desk.page.keyboard.press("Escape");
    await desk.page.locator("dialog").waitFor({ state: "detached" });
  }
  await desk.page.close();
});

test("an app that was killed leaves what was shown, with its age", async () => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  const { page } = desk;
  await desk.go("/sessions");
  const [first] = await desk.cells("Sessions");
  await page.getByRole("link", { name: String(first?.[0]), exact: true }).press("Enter");
  const kill = page.getByRole("button", { name: "kill the app" });
  await kill.press("Enter");
  await page.getByRole("button", { name: "kill the app now" }).press("Enter");
  await page.getByText("The app does not answer").waitFor();
  await page.locator("main.stale").getByRole("heading", { name: /^Watches/ }).waitFor();
  assert.deepEqual(await desk.violations(), []);
  await page.close();
});
