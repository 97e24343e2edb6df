/** The longest time between two attempts, in milliseconds. */
const LONGEST_MS = 30_000;

/** The time after the first failure, in milliseconds, before jitter. */
const FIRST_MS = 500;

/**
 * How many milliseconds to wait after `failures` attempts in a row have failed (1 after the first).
 *
 * It doubles each time. `random` (0 up to 1) spreads it over the upper half of the range, so that
 * the pages of a server that restarts do not all come back at the same moment.
 */
export function backoff(failures: number, random: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(longest * (0.5 + random / 2));
}
