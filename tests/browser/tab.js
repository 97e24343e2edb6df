// @ts-check
/** One browser tab, and what went over its wires. */

/** @typedef {{ type: string, data: { update_type: string, identifier: { entity: string, obj_id: unknown } } }} Frame */

export class Tab {
  #page;

  /** Every frame of data that the server has sent to this tab, but the answers to its own pings. @type {Frame[]} */
  frames = [];

  /** What went wrong in the page. @type {string[]} */
  problems = [];

  /** The origins that the page has spoken to. @type {Set<string>} */
  origins = new Set();

  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.#page = page;
    page.on("pageerror", (error) => this.problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.problems.push(message.text());
      }
    });
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== "data:") {
        this.origins.add(origin);
      }
    });
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => {
        const frame = JSON.parse(payload.toString());
        if (frame.type !== "PingInEvent") {
          this.frames.push(frame);
        }
      });
    });
  }

  /**
   * Opens an address in a new tab, and waits until it is kept up to date.
   *
   * @param {import("playwright-core").Browser} browser
   * @param {string} url
   * @param {{ width: number, height: number }} viewport
   */
  static async open(browser, url, viewport = { width: 1280, height: 900 }) {
    const page = await browser.newPage({ viewport });
    const tab = new Tab(page);
    await page.goto(url);
    await page.locator('#status[data-state="live"]').waitFor();
    await page.locator("main:visible").waitFor();
    // A reload would lose this.
    await page.evaluate(() => Object.assign(globalThis, { loadedOnce: true }));
    return tab;
  }

  /** The page, for what only one test needs. */
  get page() {
    return this.#page;
  }

  /**
   * The number that the list of players shows for one of them.
   *
   * @param {string} name
   * @param {"kills" | "deaths"} what
   */
  async number(name, what) {
    return Number(await this.#row(name).locator(`[data-part="${what}"]`).textContent());
  }

  /**
   * Waits until it shows `number`.
   *
   * @param {string} name
   * @param {"kills" | "deaths"} what
   * @param {number} number
   */
  async shows(name, what, number) {
    const exactly = new RegExp(`^${number}$`);
    await this.#row(name).locator(`[data-part="${what}"]`, { hasText: exactly }).waitFor();
  }

  /**
   * Waits until the newest kill in the list reads so.
   *
   * @param {string} sentence
   */
  async showsNewest(sentence) {
    await this.#page.locator("#feed li:first-child", { hasText: sentence }).waitFor();
  }

  /** Whether the page is still the one that was opened. */
  async wasNeverReloaded() {
    return this.#page.evaluate(() => "loadedOnce" in globalThis);
  }

  /** @param {string} name */
  #row(name) {
    const link = this.#page.getByRole("link", { name, exact: true });
    return this.#page.locator(".row", { has: link });
  }
}
