// @ts-check
/** The app that the recordings were made with, on Blazelink and with the rows they began with. */
import { once } from "node:events";
import { createServer } from "node:net";
import { Dev } from "../dev.js";

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

  /** Stops it as Ctrl-C does, and returns what it ended with. */
  async stop() {
    return this.#dev.stop();
  }
}

/** @param {number} port */
function develop(port) {
  return Dev.start(FOLDER, "--port", String(port));
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
