// @ts-check
/** What the debugger says to each question, in the page and in the terminal; and a recording that is replayed by another app. */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { launch } from "./chromium.js";
import { Desk } from "./desk.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Every answer that there is, as the guide lists them. */
const ANSWERS = readFileSync(join(ROOT, "docs/debugger.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| `[a-z-]+`[^|]*\|/.test(line))
  .flatMap((line) => (line.split("|")[1] ?? "").match(/[a-z][a-z-]+/g) ?? []);

/** @typedef {{ app: string, debugger: string, key: string, answer: string, session: string, object: string, at: string | null }} Case */

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("node:child_process").ChildProcessByStdio<import("node:stream").Writable, import("node:stream").Readable, null>} */
let apps;
/** @type {Case[]} */
const cases = [];
/** @type {string} */
let folder;

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), "blazelink-why-"));
    execFileSync("cargo", ["build", "--quiet", "--package", "blazelink-cli"], { cwd: ROOT, stdio: "inherit" });
    browser = await launch();
    apps = spawn("cargo", ["run", "--quiet", "--package", "blazelink-tests", "--bin", "whys"], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
    for await (const line of createInterface({ input: apps.stdout })) {
      if (line === "there") {
        return;
      }
      cases.push(JSON.parse(line));
    }
    assert.fail("the apps have ended");
  },
  { timeout: 30 * 60_000 },
);

after(async () => {
  await browser?.close();
  apps?.stdin.end();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * What the tool prints, asked of one of the apps.
 *
 * @param {Case} of
 * @param {string[]} words
 */
async function blazelink(of, ...words) {
  const tool = join(process.env["CARGO_TARGET_DIR"] ?? join(ROOT, "target"), "debug/blazelink");
  const env = { ...process.env, BLAZELINK_DEBUGGER_KEY: of.key };
  const done = await promisify(execFile)(tool, [...words, "--url", of.debugger], { cwd: folder, env }).catch((error) => error);
  return { status: done.code ?? 0, out: String(done.stdout), err: String(done.stderr) };
}

/** A sentence without how long ago things were, which goes on meanwhile. @param {string | null | undefined} sentence */
function timeless(sentence) {
  return (sentence ?? "").replace(/[\d.]+ (µs|ms|s|min)\b/g, "…");
}

test("every answer is read in the page and in the terminal", async () => {
  assert.deepEqual([...new Set(cases.map(({ answer }) => answer))].sort(), [...ANSWERS].sort());
  for (const address of new Set(cases.map((it) => it.debugger))) {
    const asked = cases.filter((it) => it.debugger === address);
    const desk = await Desk.open(browser, `${address}/#key=${asked[0]?.key}`);
    for (const one of asked) {
      await desk.page.keyboard.press("w");
      const dialog = desk.page.getByRole("dialog");
      await dialog.getByLabel("Session").fill(one.session);
      await dialog.getByLabel("Row").fill(one.object);
      await dialog.getByLabel("Commit").fill(one.at ?? "");
      await desk.page.keyboard.press("Enter");
      const verdict = dialog.locator(`.verdict.${one.answer}`);
      await verdict.waitFor();
      const at = one.at === null ? [] : ["--at", one.at];
      const { status, out } = await blazelink(one, "why", one.session, one.object, ...at);
      assert.equal(status, 0);
      assert.equal(timeless(out.split("\n")[0]), timeless(await verdict.textContent()), one.answer);
      assert.deepEqual(await desk.violations(), []);
      await desk.page.keyboard.press("Escape");
      await desk.page.locator("dialog").waitFor({ state: "detached" });
    }
    assert.deepEqual(desk.problems, []);
    await desk.page.close();
  }
});

test("below a path of the app it is the same, for whom the app lets look", async () => {
  const { app, session } = /** @type {Case} */ (cases.find(({ answer }) => answer === "sent"));
  const page = await browser.newPage();
  const desk = new Desk(page, `${app}/admin/debugger/`);
  await page.goto(`${app}/admin/debugger/`);
  await page.getByRole("heading", { name: "Pulse" }).waitFor();
  await page.getByRole("link", { name: "Sessions" }).click();
  await page.getByRole("link", { name: session, exact: true }).click();
  await page.getByRole("heading", { name: `Session ${session}` }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/admin/debugger/sessions/${session}`);
  await page.reload();
  await page.getByRole("heading", { name: `Session ${session}` }).waitFor();
  await desk.shown();
  assert.equal(await page.getByRole("heading", { name: /^Send it away|^Mischief/ }).count(), 0, "who may look may do nothing");
  await page.keyboard.press("2");
  await page.getByRole("heading", { name: "Updates" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/admin/debugger/updates");
  assert.deepEqual(desk.problems, []);
  await page.close();
});

test("a recording that the tool makes is replayed by its own app and by one with other policies", async () => {
  const open = /** @type {Case} */ (cases.find(({ answer }) => answer === "sent"));
  const guarded = /** @type {Case} */ (cases.find(({ answer }) => answer === "denied"));
  const recording = blazelink(open, "record", "renaming", "--seconds", "8");
  const desk = await Desk.open(browser, `${open.debugger}/#key=${open.key}`);
  await desk.page.getByRole("link", { name: "recording", exact: true }).waitFor();
  const query = 'mutation { updateUser(identifier: {obj_id: 1}, input: {name: "secret"}) { obj_id } }';
  const headers = { "content-type": "application/json", authorization: "1" };
  const renamed = await fetch(`${open.app}/graphql/`, { method: "POST", headers, body: JSON.stringify({ query }) });
  assert.equal(renamed.status, 200);
  const kept = await desk.agree(
    async () => 1,
    async () => Math.min(1, (await desk.api("/api/recordings")).running.updates),
  );
  assert.equal(kept.said, 1);
  await desk.page.close();
  const { status, out, err } = await recording;
  assert.equal(status, 0, err);
  const file = (out.split("\n")[0] ?? "").trim();
  const { out: listed } = await blazelink(open, "debug", "recordings");
  assert.match(listed, /^renaming .*renaming\.blz$/m);
  const same = await blazelink(open, "replay", file);
  assert.equal(same.status, 0, same.err);
  assert.match(same.out, /1 delivery as recorded, none differs/);
  const other = await blazelink(guarded, "replay", file);
  assert.equal(other.status, 5, other.err);
  assert.match(other.out, new RegExp(`${open.session} +user:1 +update +update, with other columns or values`));
  assert.match(other.err, /would differ/);
  assert.doesNotMatch(other.out + other.err, /secret/);

  const short = await blazelink(open, "record", "--seconds", "1", "--redacted");
  assert.equal(short.status, 0, short.err);
  const refused = await blazelink(open, "replay", (short.out.split("\n")[0] ?? "").trim());
  assert.equal(refused.status, 1);
  assert.match(refused.err, /redacted.*BLZ7037/s);
});
