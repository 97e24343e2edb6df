// @ts-check
/** What `tests/loop` measures, and prints beside what is allowed. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { Loopers } from "./loopers.js";

const RESTARTS = 10;
const FIRST_BYTE_S = 0.5;
const EDIT = "examples/shooter/src/tables/player_stats.rs";

const [tool = "", rounds = "5"] = process.argv.slice(2);
const whole = readFileSync(EDIT, "utf8");
let worst = 0;

const port = await freePort();
const begun = performance.now();
const child = spawn(tool, ["dev", "examples/shooter", "--json", "--port", String(port)], {
  stdio: ["ignore", "pipe", "ignore"],
});
/** @type {{ event: string, at: number, name?: string, text?: string }[]} */
const events = [];
/** @type {(() => void)[]} */
let waiting = [];
createInterface({ input: child.stdout }).on("line", (line) => {
  events.push({ ...JSON.parse(line), at: performance.now() });
  const woken = waiting;
  waiting = [];
  woken.forEach((wake) => wake());
});

await firstByte();
report("First byte on the port", seconds(performance.now() - begun), FIRST_BYTE_S, `${seconds(performance.now() - begun)} s`);
await event("ready", 0);

const toError = [];
const toLive = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const bad = `${whole}\nfn broken${round}() -> i32 { "text" }\n`;
  const error = await timed(bad, "errors");
  toError.push({ ours: error, cargo: await alone("check", `${bad}\n`, "errors") });
  const good = `${whole}\n/// The round.\npub const ROUND: u32 = ${round};\n`;
  const live = await timed(good, "swap");
  toLive.push({ ours: live, cargo: await alone("build", `${good}\n/// And again.\npub const AGAIN: u32 = 0;\n`, "swap") });
}
const error = median(toError);
report("Save to error, of `cargo check`", error.ours / error.cargo, 1.5, `${error.ours.toFixed(2)} s against ${error.cargo.toFixed(2)} s`);
const live = median(toLive);
const allowed = 1.3 * live.cargo + 0.5;
report("Save to live, of 1.3 x `cargo build` + 0.5 s", live.ours / allowed, 1, `${live.ours.toFixed(2)} s against ${live.cargo.toFixed(2)} s`);

const loopers = new Loopers(["/", "/static/app.js", "/blazelink/client.js"].map((path) => `http://127.0.0.1:${port}${path}`));
for (let restart = 0; restart < RESTARTS; restart += 1) {
  const from = events.length;
  writeFileSync("examples/shooter/Blazelink.toml", `# ${restart}\n`);
  await event("swap", from);
}
const { answered, failed } = await loopers.stop();
report(`Failed requests during ${RESTARTS} restarts`, failed.length, 0, `of ${answered}`);
failed.slice(0, 5).forEach((line) => console.log(`  ${line}`));

child.kill("SIGINT");
await once(child, "exit");
process.exit(worst > 0 ? 1 : 0);

/**
 * Seconds from a save to the event that it leads to.
 *
 * @param {string} text
 * @param {string} name
 */
async function timed(text, name) {
  const from = events.length;
  const saved = performance.now();
  writeFileSync(EDIT, text);
  const { at } = await event(name, from);
  return seconds(at - saved);
}

/**
 * Seconds that cargo alone takes for this text; the loop is held meanwhile.
 *
 * @param {string} verb
 * @param {string} text
 */
function cargo(verb, text) {
  child.kill("SIGSTOP");
  writeFileSync(EDIT, text);
  const from = performance.now();
  const packages = verb === "check" ? ["--package", "shooter"] : ["--package", "shooter", "--package", "shooter-migration"];
  spawnSync("cargo", [verb, "--quiet", ...packages, "--bins"], { stdio: "ignore" });
  const took = seconds(performance.now() - from);
  child.kill("SIGCONT");
  return took;
}

/**
 * The same, and waits until the loop has done with that save too.
 *
 * @param {string} verb
 * @param {string} text
 * @param {string} name
 */
async function alone(verb, text, name) {
  const from = events.length;
  const took = cargo(verb, text);
  await event(name, from);
  return took;
}

/**
 * The next event of this name.
 *
 * @param {string} name
 * @param {number} from
 */
async function event(name, from) {
  for (;;) {
    const found = events.slice(from).find((told) => told.event === name);
    if (found !== undefined) {
      return found;
    }
    await /** @type {Promise<void>} */ (new Promise((resolve) => waiting.push(resolve)));
  }
}

/** Waits until somebody answers, whatever it is. */
async function firstByte() {
  for (;;) {
    const answered = await new Promise((resolve) => {
      http.get({ port, host: "127.0.0.1" }, (answer) => resolve(answer.resume())).on("error", () => resolve(undefined));
    });
    if (answered !== undefined) {
      return;
    }
  }
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** @param {number} milliseconds */
function seconds(milliseconds) {
  return Math.round(milliseconds) / 1_000;
}

/** @param {{ ours: number, cargo: number }[]} times */
function median(times) {
  const sorted = [...times].sort((a, b) => a.ours / a.cargo - b.ours / b.cargo);
  return /** @type {{ ours: number, cargo: number }} */ (sorted[sorted.length >> 1]);
}

/**
 * @param {string} what
 * @param {number} measured
 * @param {number} most
 * @param {string} from
 */
function report(what, measured, most, from) {
  const missed = measured > most;
  worst += Number(missed);
  console.log(`${what}: ${measured.toFixed(2)}${missed ? " (missed)" : ""}, at most ${most.toFixed(2)} (${from})`);
}
