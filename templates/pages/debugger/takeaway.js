// What is taken away of an update: its way as text, for a message to a colleague, and all of it as a file,
// without values.

import { causeOf, changed, span } from "./words.js";

/** @param {any} path */
export function asText({ update, way, changes, deliveries }) {
  const lines = [
    `update ${update.number}, commit ${update.lsn}, ${update.committed_at}`,
    `cause: ${causeOf(update)}`,
    `changed: ${changed(update.tables)}`,
    "",
    ...way.map((/** @type {any} */ hop) => `${hop.place.padEnd(9)} ${span(hop.at_us).padStart(8)}  ${hop.sentence}`),
    "",
    ...changes.map((/** @type {any} */ it) => `${it.kind} ${it.object}: ${it.columns.map((/** @type {any} */ of) => of.column).join(", ")}`),
    "",
    ...deliveries.map((/** @type {any} */ it) => `${it.session} ${it.state}, written after ${span(it.sent_us)}, handled after ${span(it.confirmed_us)}: ${it.objects.join(", ")}`),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** The same without values of rows. @param {any} path */
export function redacted(path) {
  const columns = (/** @type {any[]} */ all) => all.map((of) => ({ ...of, before: null, after: null, masked: true }));
  return { ...path, changes: path.changes.map((/** @type {any} */ it) => ({ ...it, columns: columns(it.columns) })) };
}

/** Has the browser keep it as a file. @param {any} path */
export function save(path) {
  const file = new Blob([`${JSON.stringify(redacted(path), null, 2)}\n`], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `update-${path.update.number}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}
