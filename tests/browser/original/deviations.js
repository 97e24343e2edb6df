// @ts-check
/** The list of where Blazelink answers otherwise than the original, as far as recordings go. */
import { readFileSync } from "node:fs";

const LIST = new URL("../../original/deviations.toml", import.meta.url);

/**
 * The ids of the deviations that a recording meets, sorted.
 *
 * @param {string} name of the recording
 */
export function listed(name) {
  // Of each entry these two keys come first, each with a value of JSON's form.
  const entries = readFileSync(LIST, "utf8").matchAll(/^id = (.+)\nrecordings = (.+)$/gm);
  const ids = [...entries].flatMap(([, id = "", recordings = ""]) =>
    JSON.parse(recordings).includes(name) ? [JSON.parse(id)] : [],
  );
  return ids.sort();
}
