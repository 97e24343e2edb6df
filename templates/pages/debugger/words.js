// Numbers as people read them.

/** Microseconds. @param {number | null | undefined} micros */
export function span(micros) {
  if (micros === null || micros === undefined) {
    return "–";
  }
  if (micros < 1_000) {
    return `${micros} µs`;
  }
  if (micros < 1_000_000) {
    return `${(micros / 1_000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
  }
  return micros < 120_000_000 ? `${(micros / 1e6).toFixed(1)} s` : `${Math.round(micros / 6e7)} min`;
}

/** @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) {
    return "–";
  }
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1_024 && unit < units.length - 1) {
    bytes /= 1_024;
    unit += 1;
  }
  return `${bytes < 10 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/**
 * How long ago a moment was.
 *
 * @param {number | null | undefined} at
 * @param {number} now
 */
export function ago(at, now) {
  if (at === null || at === undefined) {
    return "–";
  }
  const seconds = Math.max(0, Math.floor((now - at) / 1_000));
  if (seconds < 120) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

/** @param {number} count */
export function count(count) {
  return count.toLocaleString("en-US");
}

/** @param {number} rate */
export function rate(rate) {
  return rate >= 100 ? count(Math.round(rate)) : rate.toFixed(1);
}

/** @param {number} number @param {string} one @param {string} many */
export function plural(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** What an update did to its tables. @param {any[]} tables */
export function changed(tables) {
  const words = tables.map(({ table, inserts, updates, deletes, whole }) => {
    const parts = [inserts && `+${inserts}`, updates && `~${updates}`, deletes && `−${deletes}`, whole && "all"];
    return `${table} ${parts.filter(Boolean).join(" ")}`;
  });
  return words.join(", ");
}

/**
 * What has made an update: as it says itself, else whose connection it was, if that is known.
 *
 * @param {{cause: any, writer: any}} update
 */
export function causeOf({ cause, writer }) {
  if (cause === null) {
    return writer === null ? "it does not say" : `${writer.application || "a connection"}, signed in as ${writer.role}`;
  }
  const by = cause.session === null ? "" : ` of ${cause.session}`;
  return `${cause.operation}${by}${cause.verified ? "" : " (says it itself)"}`;
}
