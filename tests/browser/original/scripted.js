// @ts-check
/** A server that says what a test wants: what a client makes of it is then known. */
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { asked } from "./query.js";

export class ScriptedServer {
  #http;
  #sockets;

  /** The answers by getter. @type {Record<string, string>} */
  answers = {};

  /** The headers of the first request as they were written: names and values in turn. @type {string[]} */
  firstHeaders = [];

  /** The paths of the websockets so far. @type {string[]} */
  paths = [];

  constructor() {
    this.#http = createServer((request, response) => {
      if (this.firstHeaders.length === 0) {
        this.firstHeaders = request.rawHeaders;
      }
      void this.#answer(request, response);
    });
    this.#sockets = new WebSocketServer({ server: this.#http });
    this.#sockets.on("connection", (_, { url = "" }) => this.paths.push(url));
  }

  static async start() {
    const server = new ScriptedServer();
    server.#http.listen(0, "localhost");
    await once(server.#http, "listening");
    return server;
  }

  /** Name and port. */
  get host() {
    const address = this.#http.address();
    if (address === null || typeof address === "string") {
      throw new Error("the server listens on a port");
    }
    return `localhost:${address.port}`;
  }

  /**
   * Sends one frame to everybody: text, or bytes.
   *
   * @param {string | Buffer} frame
   */
  send(frame) {
    for (const socket of this.#sockets.clients) {
      socket.send(frame);
    }
  }

  /** Ends every websocket. */
  hangUp() {
    for (const socket of this.#sockets.clients) {
      socket.terminate();
    }
  }

  async stop() {
    this.hangUp();
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, "close");
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async #answer(request, response) {
    let body = "";
    for await (const part of request) {
      body += part;
    }
    response.setHeader("Content-Type", "application/json");
    response.end(this.answers[asked(body)]);
  }
}
