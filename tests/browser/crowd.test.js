// @ts-check
/** The debugger over as many sessions as a machine lets us open: 10,000 where it allows that many files. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.js";
import { Desk } from "./desk.js";
import { Dev } from "./dev.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCREENSHOTS = join(ROOT, "target/browser/crowd");

/** What the example remembers of its sessions between two starts. */
const REMEMBERED = join(ROOT, "examples/shooter/.blazelink/sessions.journal");

const ALLOWED = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();

/** Both sides of a session have a file open, each in a process of its own; some are open already. */
const SESSIONS = ALLOWED === "unlimited" ? 10_000 : Math.min(10_000, Number(ALLOWED) - 300);

/** Those that confirm what they are told. */
const HANDLE = [...Array(SESSIONS).keys()].filter((at) => at % 25 !== 24 && at % 10 !== 9).length;

/** @type {Dev} */
let shooter;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("node:child_process").ChildProcessByStdio<import("node:stream").Writable, import("node:stream").Readable, null>} */
let crowd;

before(
  async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    rmSync(REMEMBERED, { force: true });
    shooter = await Dev.start("examples/shooter");
    browser = await launch();
    const { host } = new URL(shooter.url("/"));
    const cargo = "cargo run --quiet --package blazelink-tests --bin crowd --";
    crowd = spawn("sh", ["-c", `ulimit -n ${ALLOWED}; exec ${cargo} ${host} ${SESSIONS}`], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: crowd.stdout }), "line");
    assert.equal(line, "there");
  },
  { timeout: 30 * 60_000 },
);

after(async () => {
  await browser?.close();
  crowd?.stdin.end();
  assert.equal(await shooter?.stop(), 0);
  rmSync(REMEMBERED, { force: true });
});

/** Commits what every session of the crowd watches. */
async function changeAll() {
  await shooter.psql(`UPDATE "user" SET name = name`);
}

test("the screens show a crowd, and say what the API says", async (t) => {
  const desk = await Desk.open(browser, shooter.debuggerUrl);
  await desk.go("/sessions");
  const counts = await desk.agree(
    () => desk.page.getByRole("navigation", { name: "States" }).locator("b").allTextContents(),
    async () => {
      const { all, live, behind, offline } = (await desk.api("/api/sessions?limit=1")).counts;
      return [all, live, behind, offline].map(grouped);
    },
  );
  assert.deepEqual(counts.shown, counts.said);
  assert.equal(counts.said[0], grouped(SESSIONS));

  await changeAll();
  await desk.go("/updates");
  // One in twenty-five went away, and one in ten of the others confirms nothing.
  await desk.page.getByText(grouped(HANDLE), { exact: true }).waitFor();
  const updates = await desk.agree(
    async () => (await desk.cells("Updates")).map(([number, , , , told, handled]) => [number, told, handled]),
    async () => (await desk.api("/api/updates?limit=40")).updates.map((/** @type {any} */ it) => [String(it.number), grouped(it.funnel.told), grouped(it.funnel.confirmed)]),
  );
  assert.deepEqual(updates.shown, updates.said);
  for (const screen of ["", "updates", "path", "sessions", "subscriptions"]) {
    await desk.go(`/${screen}`);
    assert.deepEqual(await desk.violations(), [], screen);
    await desk.page.screenshot({ path: join(SCREENSHOTS, `${screen || "pulse"}.png`) });
  }
  assert.deepEqual(desk.problems, []);

  await desk.go("/");
  const frames = desk.page.evaluate(frameTimes);
  await changeAll();
  const times = (await frames).sort((a, b) => a - b);
  t.diagnostic(`${SESSIONS} sessions: a frame takes ${times[times.length >> 1]} ms in the median, ${times.at(-1)} ms at most`);
  await desk.page.close();
});

/** How long each of 200 frames takes, in milliseconds. @returns {Promise<number[]>} */
function frameTimes() {
  return new Promise((resolve) => {
    /** @type {number[]} */
    const times = [];
    let last = performance.now();
    requestAnimationFrame(function frame(now) {
      times.push(now - last);
      last = now;
      times.length < 200 ? requestAnimationFrame(frame) : resolve(times);
    });
  });
}

/** @param {number} number */
function grouped(number) {
  return number.toLocaleString("en-US");
}
