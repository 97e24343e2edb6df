// @ts-check
/** The recordings of the original's browser client. */
import { readFileSync } from "node:fs";

/**
 * One of them, by the name of its file.
 *
 * @param {string} name
 */
export function recording(name) {
  const file = new URL(`../../original/recordings/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"));
}
