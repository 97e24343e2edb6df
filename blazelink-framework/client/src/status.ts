import type { ConnectionState } from "./connectionState.ts";

/** Whether what a page shows is being kept up to date. */
export interface Status {
  /**
   * - `connecting`: the first attempt is under way.
   * - `live`: every change to what was read arrives.
   * - `offline`: there is no connection; what is shown was true at `since`. It is being retried.
   * - `closed`: the client was closed by the page.
   */
  readonly name: "connecting" | "live" | "offline" | "closed";
  /** When this began, in milliseconds since the epoch. */
  readonly since: number;
}

/** @internal What a page is told about a connection in this state. */
export function statusOf(state: ConnectionState): Status {
  switch (state.name) {
    case "connecting":
      if (state.following === true) {
        return { name: "live", since: state.since };
      }
      return { name: state.failures === 0 ? "connecting" : "offline", since: state.since };
    case "waiting":
      return { name: "offline", since: state.since };
    case "live":
    case "closed":
      return { name: state.name, since: state.since };
  }
}
