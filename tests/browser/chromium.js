// @ts-check
/** The browser of this machine: the tests bring none of their own. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Keeps the browser from talking to anybody but the app, and lets it run as root. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts Chromium without a window. */
export function launch() {
  return chromium.launch({ executablePath: findChromium(), args: FLAGS });
}

/** `CHROMIUM`, else the first of the usual names on the `PATH`. */
function findChromium() {
  const { CHROMIUM, PATH = "" } = process.env;
  if (CHROMIUM !== undefined && CHROMIUM !== "") {
    return CHROMIUM;
  }
  const folders = PATH.split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
  if (found === undefined) {
    throw new Error(
      `No browser was found: none of ${NAMES.join(", ")} is on the PATH\n` +
        "hint: install Chromium (on Debian: apt install chromium), or set CHROMIUM to its path",
    );
  }
  return found;
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
