// @ts-check
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.js";
import { Dev } from "./dev.js";
import { Tab } from "./tab.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const SCREENSHOTS = join(ROOT, "target/browser");

/** The projects are built where everything else is, so that their packages are built once. */
process.env["CARGO_TARGET_DIR"] = join(ROOT, "target");

const work = mkdtempSync(join(tmpdir(), "blazelink-new-"));

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
