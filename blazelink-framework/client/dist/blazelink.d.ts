// @blazelink/client 0.1.0: made by build.js

/** The values of a document's variables. */
export type Variables = Readonly<Record<string, unknown>>;
/** One error of an answer, as GraphQL defines it. */
export interface GraphQLError {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly locations?: readonly {
        readonly line: number;
        readonly column: number;
    }[];
    readonly extensions?: Readonly<Record<string, unknown>>;
}

/**
 * A value that changes over time, and those who want to know.
 *
 * The one base class of this package. Its shape is what `useSyncExternalStore` and the stores of
 * Svelte, Vue and Solid expect: `current`, and a `subscribe` that calls back at once.
 */
export declare class Subscribable<T> {
    #private;
    constructor(initial: T);
    /** The value now. */
    get current(): T;
    /** Calls `run` now and after every change, until the function returned is called. */
    subscribe(run: (value: T) => void): () => void;
    /** Changes the value and tells everyone. For the class that extends this one. */
    protected publish(value: T): void;
}

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

/** The answer to a live read as it stands. */
export type Snapshot<T> = {
    readonly state: "live";
    readonly data: T;
    /** What could not be answered; the fields concerned are null in `data`. */
    readonly errors: readonly GraphQLError[];
    /** When the answer arrived, in milliseconds since the epoch. */
    readonly at: number;
} | {
    readonly state: "error";
    /** The last good answer, if there was one. It may be out of date. */
    readonly data: T | undefined;
    readonly errors: readonly GraphQLError[];
    /** Why there is no newer answer. If the server could not be reached, it is asked again. */
    readonly error: Error;
    /** When `data` arrived; otherwise when the failure was noticed. */
    readonly at: number;
};

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
export declare function createClient(options?: ClientOptions): Client;
/** One session with a server. Made by {@link createClient}. */
export declare class Client {
    #private;
    /** Whether what the page shows is being kept up to date. */
    get status(): Subscribable<Status>;
    /**
     * Answers a GraphQL query now and again whenever its answer changes.
     *
     * `onSnapshot` gets the first answer, then each one that differs, in order. Commits that follow
     * each other closely may share an answer. While {@link Client.status} is not `live` the last answer
     * may be out of date; when the connection is back, everything is asked again.
     */
    live<T = Record<string, unknown>>(document: string, variables: Variables, onSnapshot: (snapshot: Snapshot<T>) => void): LiveHandle;
    /** Ends all reads and the connection. */
    close(): void;
}
