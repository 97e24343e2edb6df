import type { GraphQLError } from "./graphql.ts";

/** The answer to a live read as it stands. */
export type Snapshot<T> =
  | {
      readonly state: "live";
      readonly data: T;
      /** What could not be answered; the fields concerned are null in `data`. */
      readonly errors: readonly GraphQLError[];
      /** When the answer arrived, in milliseconds since the epoch. */
      readonly at: number;
    }
  | {
      readonly state: "error";
      /** The last good answer, if there was one. It may be out of date. */
      readonly data: T | undefined;
      readonly errors: readonly GraphQLError[];
      /** Why there is no newer answer. If the server could not be reached, it is asked again. */
      readonly error: Error;
      /** When `data` arrived; otherwise when the failure was noticed. */
      readonly at: number;
    };
