import { Connection } from "./connection.ts";
import type { Dialect } from "./dialect.ts";
import type { Variables } from "./graphql.ts";
import { LiveRead } from "./liveRead.ts";
import { OriginalDialect } from "./originalDialect.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Status } from "./status.ts";
import type { Subscribable } from "./subscribable.ts";
import { onWakeup } from "./wakeups.ts";

/** How a client reaches its server. All of it has defaults that fit a page served by the app. */
export interface ClientOptions {
  /** The server's base address. Default: the origin of the page. */
  readonly url?: string;
  /** Gives the value of the `Authorization` header for each question. Default: no such header. */
  readonly authorization?: () => string | undefined;
  /** Default: the browser's. */
  readonly fetch?: typeof globalThis.fetch;
  /** Default: the browser's. */
  readonly WebSocket?: new (url: string) => WebSocket;
  /** A number from 0 up to 1, for jitter. Default: `Math.random`. */
  readonly random?: () => number;
}

/** A live read that is under way. */
export interface LiveHandle {
  /** Ends the read: its callback is never called again. */
  stop(): void;
}

/** Makes a client. A page needs one; it is a session of its own. */
export function createClient(options: ClientOptions = {}): Client {
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  const Socket = options.WebSocket ?? globalThis.WebSocket;
  const dialect = new OriginalDialect({
    url: options.url ?? globalThis.location.origin,
    authorization: options.authorization ?? (() => undefined),
    fetch,
  });
  return new Client(dialect, (url) => new Socket(url), options.random ?? Math.random);
}

/** One session with a server. Made by {@link createClient}. */
export class Client {
  readonly #dialect: Dialect;
  readonly #random: () => number;
  readonly #connection: Connection;
  readonly #reads = new Set<LiveRead<unknown>>();
  readonly #endWakeups: () => void;

  /** @internal */
  constructor(dialect: Dialect, openSocket: (url: string) => WebSocket, random: () => number) {
    this.#dialect = dialect;
    this.#random = random;
    this.#connection = new Connection({
      open: () => openSocket(dialect.socketUrl()),
      onFrame: (frame) => this.#hear(frame),
      onResume: () => this.#askAgain(),
      onClose: (code) => dialect.closed(code),
      probe: () => dialect.probe(),
      random,
    });
    this.#endWakeups = onWakeup(() => this.#connection.wake());
  }

  /** Whether what the page shows is being kept up to date. */
  get status(): Subscribable<Status> {
    return this.#connection;
  }

  /**
   * Answers a GraphQL query now and again whenever its answer changes.
   *
   * `onSnapshot` gets the first answer, then each one that differs, in order. Commits that follow
   * each other closely may share an answer. While {@link Client.status} is not `live` the last answer
   * may be out of date; when the connection is back, everything is asked again.
   */
  live<T = Record<string, unknown>>(
    document: string,
    variables: Variables,
    onSnapshot: (snapshot: Snapshot<T>) => void,
  ): LiveHandle {
    if (this.status.current.name === "closed") {
      throw new Error("This client is closed; make another with createClient()");
    }
    const read = new LiveRead<T>({
      dialect: this.#dialect,
      document,
      variables,
      onSnapshot,
      random: this.#random,
    });
    this.#reads.add(read as LiveRead<unknown>);
    return {
      stop: () => {
        read.stop();
        this.#reads.delete(read as LiveRead<unknown>);
      },
    };
  }

  /** Ends all reads and the connection. */
  close(): void {
    this.#endWakeups();
    for (const read of this.#reads) {
      read.stop();
    }
    this.#reads.clear();
    this.#connection.close();
  }

  #hear(frame: string): string | undefined {
    const { notice, reply } = this.#dialect.hear(frame);
    if (notice !== undefined) {
      for (const read of this.#reads) {
        read.notice(notice);
      }
    }
    return reply;
  }

  #askAgain(): void {
    for (const read of this.#reads) {
      read.restart();
    }
  }
}
