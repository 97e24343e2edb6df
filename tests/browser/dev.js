// @ts-check
/** An app as a person would start it: `cargo run -- dev examples/shooter`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * An empty folder for projects. The same each time: what is built of a project is named after where
 * it lies, and stays.
 *
 * @param {string} name
 */
export function workFolder(name) {
  const checkout = createHash("sha256").update(ROOT).digest("hex").slice(0, 8);
  const folder = join(tmpdir(), `blazelink-${name}-${checkout}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  return folder;
}

/** A running `blazelink dev` with its app and its Postgres. */
export class Dev {
  #process;
  #facts;
  #steps;

  /**
   * @param {import("node:child_process").ChildProcess} process
   * @param {Map<string, string>} facts
   * @param {Steps} steps
   */
  constructor(process, facts, steps) {
    this.#process = process;
    this.#facts = facts;
    this.#steps = steps;
  }

  /**
   * Starts it and waits until it serves. The first build takes minutes.
   *
   * @param {string} folder the app's, from the root of the repository
   * @param {string[]} options further arguments
   */
  static async start(folder, ...options) {
    // In a process group of its own, so that it can be stopped as Ctrl-C does it: the whole group.
    const child = spawn("cargo", ["run", "--quiet", "--", "dev", folder, ...options], {
      cwd: ROOT,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const steps = new Steps();
    createInterface({ input: child.stderr }).on("line", (line) => {
      console.error(line);
      steps.add(line);
    });
    const ended = once(child, "exit");
    const facts = new Map();
    const ready = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        console.log(line);
        const [, name, value] = /^ {2}(app|graphql|debugger|psql|database) +(.+)$/.exec(line) ?? [];
        if (name !== undefined) {
          facts.set(name, value);
        }
        if (facts.size === 4) {
          resolve(true);
        }
      });
    });
    const early = ended.then(([code]) => {
      throw new Error(`blazelink dev ended with ${code} before it served`);
    });
    await Promise.race([ready, early]);
    early.catch(() => {});
    return new Dev(child, facts, steps);
  }

  /**
   * An address in the app.
   *
   * @param {string} path
   */
  url(path) {
    return new URL(path, this.#fact("app")).href;
  }

  /**
   * What it says between now and the next line that matches, after `work` is done.
   *
   * @param {RegExp} line
   * @param {() => void} work
   */
  said(line, work) {
    const said = this.#steps.next(line);
    work();
    return said;
  }

  /** The address of the GraphQL endpoint. */
  get graphqlUrl() {
    return this.#fact("graphql");
  }

  /** The address that opens its debugger, key and all. */
  get debuggerUrl() {
    return this.#fact("debugger");
  }

  /**
   * Runs one statement with the command that was printed, and returns the rows as lists of texts.
   *
   * @param {string} sql
   */
  async psql(sql) {
    const command = `${this.#fact("psql")} -v ON_ERROR_STOP=1 -qAt`;
    const child = spawn("sh", ["-c", command], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "exit");
    child.stdin.end(sql);
    const rows = [];
    for await (const line of createInterface({ input: child.stdout })) {
      rows.push(line.split("|"));
    }
    const [code] = await ended;
    if (code !== 0) {
      throw new Error(`\`${command}\` ended with ${code}`);
    }
    return rows;
  }

  /** Stops it as Ctrl-C does, and returns what it ended with: a code, or the name of a signal. */
  stop() {
    return interrupt(this.#process);
  }

  /** @param {string} name */
  #fact(name) {
    const value = this.#facts.get(name);
    if (value === undefined) {
      throw new Error(`blazelink dev has printed no line about ${name}`);
    }
    return value;
  }
}

/** What it says on the way. */
class Steps {
  /** @type {{ line: RegExp, said: string[], resolve: (said: string[]) => void }[]} */
  #waiting = [];

  /** @param {string} line */
  add(line) {
    for (const waiting of this.#waiting) {
      waiting.said.push(line);
    }
    const [done, rest] = [true, false].map((match) => this.#waiting.filter((w) => w.line.test(line) === match));
    this.#waiting = rest ?? [];
    for (const { said, resolve } of done ?? []) {
      resolve(said);
    }
  }

  /**
   * @param {RegExp} line
   * @returns {Promise<string[]>}
   */
  next(line) {
    return new Promise((resolve) => this.#waiting.push({ line, said: [], resolve }));
  }
}

/**
 * Does what Ctrl-C does to a program that leads a process group, and returns what it ended with: a
 * code, or the name of a signal.
 *
 * @param {import("node:child_process").ChildProcess} child
 */
export async function interrupt(child) {
  const { pid, exitCode, signalCode } = child;
  if (exitCode !== null || signalCode !== null || pid === undefined) {
    return exitCode ?? signalCode;
  }
  const ended = once(child, "exit");
  process.kill(-pid, "SIGINT");
  const [code, signal] = await ended;
  return code ?? signal;
}
