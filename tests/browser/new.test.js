// @ts-check
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.js";
import { Dev, workFolder } from "./dev.js";
import { Tab } from "./tab.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const SCREENSHOTS = join(ROOT, "target/browser");

/** The projects are built where everything else is, so that their packages are built once. */
process.env["CARGO_TARGET_DIR"] = join(ROOT, "target");

const work = workFolder("new");

/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true });
});

/**
 * Makes an app, as a person would, runs it, and opens its page twice.
 *
 * @param {string} template
 * @param {(one: Tab, two: Tab, app: Dev) => Promise<void>} play
 */
async function withNew(template, play) {
  const folder = join(work, `my-${template}`);
  const made = spawn("cargo", ["run", "--quiet", "--", "new", folder, "--template", template, "--no-build"], {
    cwd: ROOT,
    stdio: "inherit",
  });
  assert.deepEqual(await once(made, "exit"), [0, null]);
  const app = await Dev.start(folder);
  try {
    const [one, two] = [await open(app), await open(app)];
    await play(one, two, app);
    await one.page.screenshot({ path: join(SCREENSHOTS, `new-${template}.png`), fullPage: true });
    for (const tab of [one, two]) {
      assert.deepEqual(tab.problems, []);
      assert.deepEqual([...tab.origins], [new URL(app.url("/")).origin]);
      await tab.page.close();
    }
  } finally {
    assert.equal(await app.stop(), 0, "Ctrl-C ends blazelink dev cleanly");
  }
}

/** @param {Dev} app */
async function open(app) {
  const tab = new Tab(await browser.newPage({ viewport: { width: 1000, height: 900 } }));
  await tab.page.goto(app.url("/"));
  await tab.page.locator("#status", { hasText: "live" }).waitFor();
  return tab;
}

test("a kill in a new game appears in two tabs, and so does one from psql", { timeout: 20 * 60_000 }, async () => {
  await withNew("game", async (one, two, app) => {
    const button = one.page.getByRole("button", { name: "Idris kills somebody" });
    await button.click();
    for (const { page } of [one, two]) {
      await page.locator("#feed li:first-child", { hasText: /^Idris shot / }).waitFor();
      await page.locator("#teams li", { hasText: "Idris" }).locator("output", { hasText: /^1$/ }).waitFor();
    }
    assert(await button.evaluate((element) => element === document.activeElement), "the button keeps its focus");
    await app.psql("INSERT INTO game_event (game_id, player_id, victim_id) VALUES (1, 2, 8)");
    for (const { page } of [one, two]) {
      await page.locator("#feed li:first-child", { hasText: /^Idris shot Kwame/ }).waitFor();
      await page.locator("#teams li", { hasText: "Idris" }).locator("output", { hasText: /^2$/ }).waitFor();
    }
  });
});

test("a note in a new app appears in two tabs, and an empty one is refused", { timeout: 20 * 60_000 }, async () => {
  await withNew("blank", async (one, two) => {
    await one.page.getByLabel("Note").fill("Hello");
    await one.page.getByRole("button", { name: "Add" }).click();
    for (const { page } of [one, two]) {
      await page.locator("#notes li:first-child", { hasText: /^Hello/ }).waitFor();
    }
    await one.page.getByLabel("Note").fill(" ");
    await one.page.getByRole("button", { name: "Add" }).click();
    await one.page.locator("#problem", { hasText: "must not be empty" }).waitFor();
    assert.equal(await two.page.locator("#notes li").count(), 2);
  });
});

/**
 * Runs the tool to its end, as a person would type it, and returns what it prints.
 *
 * @param {...string} words
 */
function tool(...words) {
  const line = ["run", "--quiet", "--", ...words];
  return execFileSync("cargo", line, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

test("a database that nobody made for it is served, relations and all", { timeout: 20 * 60_000 }, async () => {
  const [source, folder] = [join(work, "source"), join(work, "store")];
  tool("new", source, "--template", "blank", "--no-build", "--no-git");
  tool("-C", source, "db", "start");
  try {
    const psql = (/** @type {string[]} */ ...words) => tool("-C", source, "db", "psql", "--", "-qv", "ON_ERROR_STOP=1", ...words);
    psql("-f", join(ROOT, "tests/sample/schema.sql"));
    psql("-c", "INSERT INTO language (name) VALUES ('Quechua'); INSERT INTO actor (first_name, last_name) VALUES ('Ada', 'Byron')");
    psql("-c", "INSERT INTO film (title, language_id, fulltext) VALUES ('Rain', 1, ''); INSERT INTO film_actor (actor_id, film_id) VALUES (1, 1)");
    const url = tool("-C", source, "db", "url");
    tool("new", folder, "--from-db", url, "--no-build");
    const app = await Dev.start(folder, "--db", url);
    try {
      const query = "{ films { items { row { title language { row { name } } actors { items { row { last_name } } } } } } }";
      const response = await fetch(app.graphqlUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query }),
      });
      const language = { row: { name: "Quechua" } };
      const row = { title: "Rain", language, actors: { items: [{ row: { last_name: "Byron" } }] } };
      const answer = await response.json();
      assert.deepEqual(answer, { data: { films: { items: [{ row }] } } });
      const tab = await open(app);
      await tab.page.screenshot({ path: join(SCREENSHOTS, "new-existing.png"), fullPage: true });
      assert.deepEqual(tab.problems, []);
      await tab.page.close();
    } finally {
      assert.equal(await app.stop(), 0, "Ctrl-C ends blazelink dev cleanly");
    }
  } finally {
    tool("-C", source, "db", "stop");
  }
});
