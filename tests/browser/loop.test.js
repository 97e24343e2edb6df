// @ts-check
/** A day with `blazelink dev`: saves of every kind, with a page open all the time. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.js";
import { Dev } from "./dev.js";
import { Loopers } from "./loopers.js";
import { Tab } from "./tab.js";

const SCREENSHOTS = fileURLToPath(new URL("../../target/browser", import.meta.url));
const SHOOTER = fileURLToPath(new URL("../../examples/shooter", import.meta.url));

const RESTARTS = 10;

/** What the files were before. @type {Map<string, string | undefined>} */
const originals = new Map();

/** @type {Dev} */
let dev;
/** @type {import("playwright-core").Browser} */
let browser;

before(
  async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    process.on("exit", restore);
    dev = await Dev.start("examples/shooter");
    browser = await launch();
  },
  { timeout: 30 * 60_000 },
);

afterEach(restore);

after(async () => {
  await browser?.close();
  const ending = await dev?.stop();
  restore();
  assert.equal(ending, 0, "Ctrl-C ends blazelink dev cleanly");
});

/**
 * Saves a file of the example, until the test ends.
 *
 * @param {string} file
 * @param {(text: string) => string} edit
 */
function save(file, edit) {
  const path = join(SHOOTER, file);
  let text;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    text = undefined;
  }
  if (!originals.has(path)) {
    originals.set(path, text);
  }
  writeFileSync(path, edit(text ?? ""));
}

function restore() {
  for (const [path, text] of originals) {
    if (text === undefined) {
      rmSync(path, { force: true });
    } else {
      writeFileSync(path, text);
    }
  }
  originals.clear();
}

/** Whoever is first, and a kill that somebody inserts with psql. */
async function insertKill() {
  const [killer, victim] = await dev.psql('SELECT id, name FROM "user" ORDER BY id LIMIT 2');
  assert(killer !== undefined && victim !== undefined);
  await dev.psql(
    `INSERT INTO game_event (kind, game_id, player_id, victim_id)
     SELECT 'kill', max(id), ${killer[0]}, ${victim[0]} FROM game`,
  );
  return String(killer[1]);
}

/**
 * Inserts a kill and waits until the page shows it.
 *
 * @param {Tab} tab
 */
async function assertLive(tab) {
  const [row] = await dev.psql('SELECT name FROM "user" ORDER BY id LIMIT 1');
  const name = String(row?.[0]);
  const kills = await tab.number(name, "kills");
  await insertKill();
  await tab.shows(name, "kills", kills + 1);
}

test("an error shows over the page, which stays live, and goes when it is mended", async () => {
  const tab = await Tab.open(browser, dev.url("/"));
  const { page } = tab;
  const card = page.getByRole("dialog", { name: "Errors" });
  await dev.said(/^ {2}build +1 error/, () =>
    save("src/tables/player_stats.rs", (text) => `${text}\nfn broken() -> i32 { "text" }\n`),
  );
  await card.waitFor();
  await card.getByText("mismatched types").first().waitFor();
  await card.getByText(/src\/tables\/player_stats\.rs:\d+:\d+$/).first().waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: join(SCREENSHOTS, "overlay-dark.png") });
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: join(SCREENSHOTS, "overlay-light.png") });
  await assertLive(tab);

  await card.getByRole("button", { name: "Minimise" }).click();
  await page.getByRole("button", { name: "1 error" }).click();
  await card.waitFor();
  await page.keyboard.press("Escape");
  await card.waitFor({ state: "hidden" });
  // Another error opens it again.
  await dev.said(/^ {2}build +2 errors/, () =>
    save("src/tables/player_stats.rs", (text) => `${text}\nfn worse() -> i32 { 'c' }\n`),
  );
  await card.waitFor();

  await dev.said(/^ {2}swap /, () =>
    save("src/tables/player_stats.rs", (text) => `${text.split("\nfn broken")[0]}\n// Mended.\n`),
  );
  await card.waitFor({ state: "hidden" });
  await assertLive(tab);
  assert(await tab.wasNeverReloaded());
  assert.deepEqual(tab.problems, []);
  await page.close();
});

test("what an entity says and the database has not is asked over the page, both ways", async () => {
  const tab = await Tab.open(browser, dev.url("/"));
  const { page } = tab;
  const card = page.getByRole("dialog", { name: "Question" });
  const columns = () =>
    dev.psql("SELECT column_name FROM information_schema.columns WHERE table_name = 'game' AND column_name = 'stage'");
  const entity = "src/entities/game.rs";
  save(entity, (text) => text.replace("pub name: String,", "pub name: String,\n    pub stage: Option<String>,"));
  await card.getByText('ALTER TABLE "game" ADD COLUMN "stage"').waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: join(SCREENSHOTS, "question-dark.png") });
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: join(SCREENSHOTS, "question-light.png") });
  await assertLive(tab);
  assert.deepEqual(await columns(), []);

  await dev.said(/^ {2}swap /, () => card.getByRole("button", { name: "sync only" }).click());
  await card.waitFor({ state: "hidden" });
  assert.deepEqual(await columns(), [["stage"]]);
  await assertLive(tab);

  restore();
  // Now it is the database that differs, from its migrations too.
  await card.getByText('ALTER TABLE "game" DROP COLUMN "stage"').waitFor();
  await dev.said(/^ {2}swap /, () => card.getByRole("button", { name: "repair the database" }).click());
  await card.waitFor({ state: "hidden" });
  assert.deepEqual(await columns(), []);
  await assertLive(tab);
  assert(await tab.wasNeverReloaded());
  assert.deepEqual(tab.problems, []);
  await page.close();
});

test("a style sheet is swapped in place, and a template loads the page again", async () => {
  const tab = await Tab.open(browser, dev.url("/"));
  const { page } = tab;
  save("static/app.css", (text) => `${text}\nbody { outline: 3px solid rgb(1, 2, 3); }\n`);
  await page.waitForFunction(() => getComputedStyle(document.body).outlineColor === "rgb(1, 2, 3)");
  assert.equal(await page.locator('link[rel="stylesheet"]').count(), 1);
  assert(await tab.wasNeverReloaded());

  save("templates/index.html", (text) => text.replace("<title>Shooter", "<title>Edited"));
  await page.waitForFunction(() => document.title.startsWith("Edited"));
  assert(!(await tab.wasNeverReloaded()));
  await page.locator('#status[data-state="live"]').waitFor();
  await page.close();
});

test("ten restarts under four clients fail no request, and a page that is open shows none of them", async () => {
  const tab = await Tab.open(browser, dev.url("/"));
  await tab.page.evaluate(() => {
    const status = document.getElementById("status");
    const seen = new Set();
    Object.assign(globalThis, { seen });
    new MutationObserver(() => seen.add(status?.dataset["state"])).observe(/** @type {Node} */ (status), {
      attributes: true,
    });
  });
  const loopers = new Loopers(["/", "/static/app.js", "/blazelink/client.js"].map((path) => dev.url(path)));
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    await dev.said(/^ {2}swap /, () => save("Blazelink.toml", () => `# ${restart}\n`));
    await assertLive(tab);
  }
  const { answered, failed } = await loopers.stop();
  console.log(`${answered} requests answered during ${RESTARTS} restarts, ${failed.length} failed`);
  assert.deepEqual(failed, []);
  assert(answered > 100);
  assert(await tab.wasNeverReloaded());
  assert.deepEqual(tab.problems, []);
  const seen = await tab.page.evaluate(() => [...Reflect.get(globalThis, "seen")]);
  assert.deepEqual(seen.filter((state) => state !== "live"), []);
  await tab.page.close();
});
