// @ts-check
/** A server for the client's page alone, on a port of its own: the app is another origin. */
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

export class Pages {
  #server;

  /** @param {import("node:http").Server} server */
  constructor(server) {
    this.#server = server;
  }

  static async start() {
    const files = new Set(await readdir(FOLDER));
    const server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? "", "http://localhost");
      const name = pathname === "/" ? "page.html" : pathname.slice(1);
      if (!files.has(name)) {
        response.writeHead(404).end();
        return;
      }
      const type = name.endsWith(".html") ? "text/html" : "text/javascript";
      response.writeHead(200, { "Content-Type": `${type}; charset=utf-8` });
      response.end(await readFile(FOLDER + name));
    });
    server.listen(0, "localhost");
    await once(server, "listening");
    return new Pages(server);
  }

  /** The origin of its pages. */
  get origin() {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      throw new Error("the server listens on a port");
    }
    return `http://localhost:${address.port}`;
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}
