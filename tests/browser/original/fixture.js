// @ts-check
/** The app that the recordings were made with, on Blazelink and with the rows they began with. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Dev, interrupt } from "../dev.js";

const FOLDER = "tests/fixture";

/** What sessions have changed, undone. */
const RESET = `
  delete from gameevent where id > 12;
  delete from game where id > 2;
  update "user" set name = 'ann' where id = 1;
  select setval('gameevent_id_seq', 12)`;

export class Fixture {
  #dev;
  #port;

  /**
   * @param {Dev} dev
   * @param {number} port
   */
  constructor(dev, port) {
    this.#dev = dev;
    this.#port = port;
  }

  /** Starts it as a developer would, on a port that it can have again. */
  static async start() {
    const port = await freePort();
    return new Fixture(await develop(port), port);
  }

  /** Name and port. */
  get host() {
    return `localhost:${this.#port}`;
  }

  /** Runs one statement as anybody could. */
  sql = (/** @type {string} */ statement) => this.#dev.psql(statement);

  /** Makes the database what it was when each of the recordings began. */
  async reset() {
    await this.sql(RESET);
  }

  /** Stops everything, the database too, and starts it again at the same address. */
  async restart() {
    await this.stop();
    this.#dev = await develop(this.#port);
  }

  /** Stops it as Ctrl-C does, and returns what it ended with. */
  stop() {
    return this.#dev.stop();
  }

  /** Another server on the same database, in production. */
  async production() {
    const [[folder = "", name = ""] = []] = await this.sql(
      "select current_setting('unix_socket_directories'), current_database()",
    );
    const port = await freePort();
    const url = `postgres://postgres@${encodeURIComponent(folder)}/${name}`;
    const child = spawn("cargo", ["run", "--quiet", "--package", "blazelink-fixture"], {
      cwd: fileURLToPath(new URL(`../../../${FOLDER}`, import.meta.url)),
      env: {
        ...process.env,
        DATABASE_URL: url,
        BLAZELINK_ENV: "production",
        BLAZELINK_SLOT: "temporary",
        BLAZELINK_PORT: String(port),
      },
      detached: true,
      stdio: ["ignore", "inherit", "pipe"],
    });
    await serves(child);
    return { host: `localhost:${port}`, stop: () => interrupt(child) };
  }
}

/** @param {number} port */
function develop(port) {
  return Dev.start(FOLDER, "--port", String(port));
}

/**
 * Waits until the app's log says so, which goes to its standard error.
 *
 * @param {import("node:child_process").ChildProcessByStdio<null, null, import("node:stream").Readable>} child
 */
async function serves(child) {
  const ready = new Promise((resolve) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      console.error(line);
      if (line.includes("serving")) {
        resolve(true);
      }
    });
  });
  const early = once(child, "exit").then(([code]) => {
    throw new Error(`the app ended with ${code} before it served`);
  });
  await Promise.race([ready, early]);
  early.catch(() => {});
}

async function freePort() {
  const server = createServer();
  server.listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") {
    throw new Error("the server listens on a port");
  }
  return address.port;
}
