/**
 * The seam between the core (what is asked when, what a connection does) and the protocol that a
 * server speaks. `OriginalDialect` is the one there is.
 */

import type { GraphQLError, Variables } from "./graphql.ts";

/** The answer to a document. */
export interface Answer {
  /** Nothing if the document as a whole was refused. */
  readonly data: unknown;
  readonly errors: readonly GraphQLError[];
}

/** What the server says has changed. */
export interface Notice {
  /** The table's name in GraphQL, such as `GameEvent`. */
  readonly entity: string;
  /** The row's key as text; null for the table as a whole. */
  readonly key: string | null;
}

/** Which notices concern one read. */
export interface Interest {
  /** Whether the read is to be asked again. It may say yes too often, never too rarely. */
  hears(notice: Notice): boolean;
}

/** What a frame from the server amounts to. */
export interface Heard {
  /** What has changed, if the frame says so. */
  readonly notice?: Notice;
  /** A frame to send back at once. */
  readonly reply?: string;
}

/** A protocol. */
export interface Dialect {
  /** Where the next socket is to be opened. */
  socketUrl(): string;
  /**
   * Asks the server once. Being asked is what subscribes the session.
   *
   * Rejects if no answer came, or one that is none of this protocol; it is worth asking again then.
   */
  ask(document: string, variables: Variables, signal: AbortSignal): Promise<Answer>;
  /** Which notices concern a document. */
  interest(document: string, variables: Variables): Interest;
  /** Reads a frame. Frames that it does not know mean nothing; none makes it throw. */
  hear(frame: string): Heard;
  /** A frame that makes the server send one. */
  probe(): string;
  /** The server closed the socket with this code. */
  closed(code: number): void;
}
