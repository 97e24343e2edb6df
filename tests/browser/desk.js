// @ts-check
/** The debugger in one browser tab: what a person does there, what it shows, and what its API says. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export class Desk {
  #base;
  #key;

  /** What went wrong in the page. @type {string[]} */
  problems = [];

  /**
   * @param {import("playwright-core").Page} page
   * @param {string} address
   */
  constructor(page, address) {
    this.page = page;
    const url = new URL(address);
    this.#base = url.origin;
    this.#key = url.hash.replace("#key=", "");
    page.on("pageerror", (error) => this.problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.problems.push(message.text());
      }
    });
  }

  /**
   * Opens it at the address that `dev` has printed.
   *
   * @param {import("playwright-core").Browser} browser
   * @param {string} address
   * @param {{ width: number, height: number }} viewport
   */
  static async open(browser, address, viewport = { width: 1280, height: 800 }) {
    const page = await browser.newPage({ viewport, colorScheme: "dark" });
    const desk = new Desk(page, address);
    await page.goto(address);
    await page.getByRole("navigation", { name: "Screens" }).waitFor();
    return desk;
  }

  /**
   * Goes to a screen, and waits until it shows what it asked for.
   *
   * @param {string} path
   */
  async go(path) {
    await this.page.goto(`${this.#base}${path}`);
    await this.shown();
  }

  /** Waits until nothing is asked for any more. */
  async shown() {
    await this.page.locator("main > *").first().waitFor();
    await this.page.waitForFunction(() => document.querySelector("main .asking") === null);
  }

  /**
   * What the API says.
   *
   * @param {string} path
   * @returns {Promise<any>}
   */
  async api(path) {
    const response = await fetch(`${this.#base}${path}`, { headers: { authorization: `Bearer ${this.#key}` } });
    return response.json();
  }

  /**
   * The cells of the table of this name.
   *
   * @param {string} name
   */
  async cells(name) {
    const rows = this.page.getByRole("region", { name, exact: true }).locator("tbody tr");
    return rows.evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? "")));
  }

  /**
   * What a page shows and what the API says in the same moment: both are read until they agree, for the
   * page is as much as a quarter of a second behind.
   *
   * @template T
   * @param {() => Promise<T>} shown
   * @param {() => Promise<T>} said
   * @returns {Promise<{ shown: T, said: T }>}
   */
  async agree(shown, said) {
    let both = { shown: await shown(), said: await said() };
    for (let tries = 0; JSON.stringify(both.shown) !== JSON.stringify(both.said) && tries < 40; tries += 1) {
      await this.page.waitForTimeout(50);
      both = { shown: await shown(), said: await said() };
    }
    return both;
  }

  /** What an automated check of accessibility finds (WCAG 2.2 AA), a line for each finding. */
  async violations() {
    if (!(await this.page.evaluate(() => "axe" in globalThis))) {
      // Our policy allows no script of a tag; this one is put into the page from outside.
      await this.page.evaluate(await readFile(AXE, "utf8"));
    }
    const found = await this.page.evaluate(async () => {
      const axe = /** @type {any} */ (globalThis).axe;
      const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
      return violations.flatMap((/** @type {any} */ it) => it.nodes.map((/** @type {any} */ node) => `${it.id}: ${node.html} ${node.failureSummary}`));
    });
    return /** @type {string[]} */ (found);
  }
}
