// @ts-check
/** What Chromium tells of a page's requests to a server, preflights included. */

/**
 * @typedef {object} Sent
 * @property {string} method
 * @property {Record<string, string>} headers as they went over the wire, names in lower case
 * @property {number} [status]
 * @property {string} [refused] why the browser kept the answer from the page
 */

export class Network {
  /** @type {Map<string, Sent>} */
  #requests = new Map();

  /** The statuses of the answers to websockets' handshakes. @type {number[]} */
  handshakes = [];

  /** The `Origin` of each handshake. @type {string[]} */
  origins = [];

  /**
   * Listens to what a page sends to `host` from now on.
   *
   * @param {import("playwright-core").Page} page
   * @param {string} host
   */
  static async of(page, host) {
    const network = new Network();
    const session = await page.context().newCDPSession(page);
    session.on("Network.requestWillBeSent", ({ requestId, request }) => {
      if (new URL(request.url).host === host) {
        network.#request(requestId).method = request.method;
      }
    });
    session.on("Network.requestWillBeSentExtraInfo", ({ requestId, headers }) => {
      network.#request(requestId).headers = lowerCase(headers);
    });
    session.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => {
      network.#request(requestId).status = statusCode;
    });
    session.on("Network.loadingFailed", ({ requestId, corsErrorStatus }) => {
      network.#request(requestId).refused = corsErrorStatus?.corsError;
    });
    session.on("Network.webSocketWillSendHandshakeRequest", ({ request }) => {
      network.origins.push(lowerCase(request.headers).origin ?? "");
    });
    session.on("Network.webSocketHandshakeResponseReceived", ({ response }) => {
      network.handshakes.push(response.status);
    });
    await session.send("Network.enable");
    return network;
  }

  /** The requests with a method, in order. @param {string} method */
  sent(method) {
    return [...this.#requests.values()].filter((request) => request.method === method);
  }

  /** Its events may come in any order. @param {string} id */
  #request(id) {
    const request = this.#requests.get(id) ?? { method: "", headers: {} };
    this.#requests.set(id, request);
    return request;
  }
}

/** @param {Record<string, string>} headers */
function lowerCase(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
