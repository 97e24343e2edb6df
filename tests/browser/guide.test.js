// @ts-check
// The guide, followed to the letter: what its pages show to be typed is typed, what it shows to be
// changed is changed, and what it shows to be answered is answered.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { launch } from "./chromium.js";
import { Dev, workFolder } from "./dev.js";
import { Tab } from "./tab.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** In the order in which they are read: each goes on where the one before it ends. */
const PAGES = ["start.md", "migrations.md", "deploy.md"];

const work = workFolder("guide");

// The project is built where everything else is, so that its packages are built once.
process.env["CARGO_TARGET_DIR"] = join(ROOT, "target");
process.env["PATH"] = `${join(ROOT, "target/debug")}:${process.env["PATH"]}`;

/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  execFileSync("cargo", ["build", "--quiet", "--package", "blazelink-cli"], { cwd: ROOT, stdio: "inherit" });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true });
});

/**
 * The blocks of a page that a reader acts upon.
 *
 * @param {string} page
 */
function blocks(page) {
  const text = readFileSync(join(ROOT, "docs", page), "utf8");
  return [...text.matchAll(/^```(console|diff|graphql|json)\n(.*?)^```$/gms)].map(([, kind, body]) => ({ kind, body: body ?? "" }));
}

/**
 * Commands, each with the lines that it answers among others.
 *
 * @param {string} body
 */
function commands(body) {
  const found = body.split(/^\$ /m).slice(1);
  return found.map((text) => {
    const [command, ...lines] = text.trimEnd().split("\n");
    return { command: command ?? "", lines };
  });
}

/**
 * Types a command and returns all that it prints.
 *
 * @param {string} command
 * @param {string} cwd
 */
async function typed(command, cwd) {
  const shell = spawn("bash", ["-c", `${command} 2>&1`], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  shell.stdout.on("data", (data) => (text += data));
  const [code] = await once(shell, "close");
  console.error(`$ ${command}\n${text}`);
  assert.equal(code, 0, `${command}\n${text}`);
  return text;
}

/** How long an app that has given way may still answer, in milliseconds. */
const GIVES_WAY = 20_000;

/**
 * Asks until the app answers this: what a swapped app is asked first, the one before it may answer.
 *
 * @param {Dev | undefined} app
 * @param {string} query
 * @param {unknown} expected
 */
async function answers(app, query, expected) {
  assert(app !== undefined, "the page asks while dev runs");
  const until = Date.now() + GIVES_WAY;
  const headers = { "content-type": "application/json" };
  for (;;) {
    /** @type {Response} */
    const response = await fetch(app.graphqlUrl, { method: "POST", headers, body: JSON.stringify({ query }) });
    /** @type {unknown} */
    const answer = await response.json();
    if (isDeepStrictEqual(answer, expected)) {
      return;
    }
    if (Date.now() > until) {
      assert.deepEqual(answer, expected, query);
    }
  }
}

test("no other page shows what to type", () => {
  const pages = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md") && !PAGES.includes(name));
  const typing = pages.filter((page) => readFileSync(join(ROOT, "docs", page), "utf8").includes("```console"));
  assert.deepEqual(typing, []);
});

/**
 * Waits for a change of the project, and until `dev`, if it runs, serves with it.
 *
 * @template T
 * @param {Dev | undefined} app
 * @param {Promise<T>} change
 */
async function seen(app, change) {
  const swapped = app?.said(/^ {2}swap /, () => {});
  const made = await change;
  await swapped;
  return made;
}

test("whoever follows the guide has what it says", { timeout: 20 * 60_000 }, async () => {
  let folder = work;
  /** @type {Dev | undefined} */
  let app;
  /** @type {Tab[]} */
  const tabs = [];
  let typedCommands = 0;
  let query = "";
  writeFileSync(join(work, "gitconfig"), "[user]\nname = Ada\nemail = ada@example.com\n");
  process.env["GIT_CONFIG_GLOBAL"] = join(work, "gitconfig");
  try {
    for (const page of PAGES) {
      for (const { kind, body } of blocks(page)) {
        if (kind === "diff") {
          writeFileSync(join(work, "diff"), body);
          await seen(app, typed(`git apply --recount ${join(work, "diff")}`, folder));
          continue;
        }
        if (kind === "graphql") {
          query = body;
          continue;
        }
        if (kind === "json") {
          await answers(app, query, JSON.parse(body));
          continue;
        }
        for (const { command, lines } of commands(body)) {
          typedCommands += 1;
          const [, to] = /^cd (.*)$/.exec(command) ?? [];
          if (to !== undefined) {
            folder = resolve(folder, to);
          } else if (command === "blazelink dev") {
            app = await Dev.start(folder);
            for (const path of ["/", "/"]) {
              const tab = new Tab(await browser.newPage());
              await tab.page.goto(app.url(path));
              await tab.page.locator("#status", { hasText: "live" }).waitFor();
              tabs.push(tab);
            }
          } else {
            const typing = typed(command, folder);
            const told = command.includes("INTO game_event") ? tabs.map(({ page: tab }) => tab.locator("#feed li").count()) : [];
            const before = await Promise.all(told);
            const text = await (command.startsWith("blazelink generate ") ? seen(app, typing) : typing);
            for (const line of lines) {
              assert(text.includes(line.trim()), `${page}: ${command} does not print ${line}`);
            }
            for (const [at, count] of before.entries()) {
              await tabs[at]?.page.locator("#feed li").nth(count).waitFor();
            }
          }
        }
      }
      // The reader stops `dev` when the first page ends, and before that sees that all is well.
      for (const { page: tab } of tabs) {
        await tab.locator("#status", { hasText: "live" }).waitFor();
      }
      assert.deepEqual(tabs.flatMap((tab) => tab.problems), []);
      await Promise.all(tabs.splice(0).map((tab) => tab.page.close()));
      assert.equal((await app?.stop()) ?? 0, 0);
      app = undefined;
    }
  } finally {
    await app?.stop();
  }
  assert(typedCommands > 10, "the guide shows what to type");
});
