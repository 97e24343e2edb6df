/**
 * What a connection does next, decided without a socket or a clock.
 *
 * `Connection` carries it out: it opens a socket whenever the state becomes `connecting`, drops it
 * when the state leaves `connecting` and `live`, sends a probe when `probedAt` appears, and reports
 * `due` at {@link deadline}.
 */

import { backoff } from "./backoff.ts";

/** How long a socket may take to open, in milliseconds. */
export const OPEN_WITHIN_MS = 15_000;

/** After how much silence the server is asked whether it is still there, in milliseconds. */
export const PROBE_AFTER_MS = 25_000;

/** How long the answer to that may take, in milliseconds. */
export const ANSWER_WITHIN_MS = 10_000;

/**
 * How long a socket must have lived for its loss to count as the first one, in milliseconds.
 * A server that accepts sockets only to close them is thereby tried more and more rarely.
 */
export const STABLE_AFTER_MS = 5_000;

/**
 * How long a socket must have lived for a server that gives way to be followed at once, in
 * milliseconds. One that closes sockets as soon as they open is none that has a successor.
 */
export const FOLLOW_AFTER_MS = 200;

/** The state of a connection. All times are milliseconds since the epoch. */
export type ConnectionState =
  | {
      readonly name: "connecting";
      /** Since when the page is without a connection. */
      readonly since: number;
      /** How many attempts in a row have failed before this one. */
      readonly failures: number;
      readonly startedAt: number;
      /** Whether a server that gave way is being followed, and the page knows of no break yet. */
      readonly following?: boolean;
    }
  | {
      readonly name: "live";
      readonly since: number;
      readonly failures: number;
      /** When the server was last heard. */
      readonly heardAt: number;
      /** When the server was asked whether it is there, if it has not answered yet. */
      readonly probedAt: number | undefined;
    }
  | {
      readonly name: "waiting";
      readonly since: number;
      readonly failures: number;
      /** When the next attempt starts. */
      readonly until: number;
    }
  | { readonly name: "closed"; readonly since: number };

/** What can happen to a connection. */
export type ConnectionEvent =
  /** The socket opened. */
  | "opened"
  /** A frame came in. */
  | "heard"
  /** The socket closed or failed. */
  | "lost"
  /** The server gave way, perhaps to another one, and closed the socket. */
  | "left"
  /** The page became visible, or the browser says that there is a network again. */
  | "woken"
  /** The deadline may have passed. */
  | "due"
  /** The page has no more use for the connection. */
  | "closed";

/** The state of a connection that was just asked for. */
export function initialState(now: number): ConnectionState {
  return { name: "connecting", since: now, failures: 0, startedAt: now };
}

/** The state after `event`. `random` (0 up to 1) is used for the jitter of a wait. */
export function nextState(
  state: ConnectionState,
  event: ConnectionEvent,
  now: number,
  random: number,
): ConnectionState {
  if (state.name === "closed") {
    return state;
  }
  switch (event) {
    case "closed":
      return { name: "closed", since: now };
    case "opened":
      return state.name === "connecting"
        ? { name: "live", since: now, failures: state.failures, heardAt: now, probedAt: undefined }
        : state;
    case "heard":
      return state.name === "live" ? { ...state, heardAt: now, probedAt: undefined } : state;
    case "lost":
      return lost(state, now, random);
    case "left":
      return left(state, now, random);
    case "woken":
      return woken(state, now);
    case "due":
      return now < (deadline(state) ?? Infinity) ? state : overdue(state, now, random);
  }
}

/** When `due` is to be reported; never for a closed connection. */
export function deadline(state: ConnectionState): number | undefined {
  switch (state.name) {
    case "connecting":
      return state.startedAt + OPEN_WITHIN_MS;
    case "live":
      return state.probedAt === undefined
        ? state.heardAt + PROBE_AFTER_MS
        : state.probedAt + ANSWER_WITHIN_MS;
    case "waiting":
      return state.until;
    case "closed":
      return undefined;
  }
}

type OpenState = Exclude<ConnectionState, { name: "closed" }>;

function lost(state: OpenState, now: number, random: number): ConnectionState {
  if (state.name === "waiting") {
    return state;
  }
  const stable = state.name === "live" && now - state.since >= STABLE_AFTER_MS;
  const failures = stable ? 1 : state.failures + 1;
  const since = state.name === "live" ? now : state.following === true ? state.startedAt : state.since;
  return { name: "waiting", since, failures, until: now + backoff(failures, random) };
}

function left(state: OpenState, now: number, random: number): ConnectionState {
  if (state.name !== "live" || now - state.since < FOLLOW_AFTER_MS) {
    return lost(state, now, random);
  }
  return { name: "connecting", since: state.since, failures: 0, startedAt: now, following: true };
}

function woken(state: OpenState, now: number): ConnectionState {
  switch (state.name) {
    case "waiting":
      return { name: "connecting", since: state.since, failures: state.failures, startedAt: now };
    case "live":
      return state.probedAt === undefined ? { ...state, probedAt: now } : state;
    case "connecting":
      return state;
  }
}

function overdue(state: OpenState, now: number, random: number): ConnectionState {
  const unprobed = state.name === "live" && state.probedAt === undefined;
  return state.name === "waiting" || unprobed ? woken(state, now) : lost(state, now, random);
}
