import { backoff } from "./backoff.ts";
import { runCallback } from "./callback.ts";
import type { Answer, Dialect, Interest, Notice } from "./dialect.ts";
import type { Variables } from "./graphql.ts";
import type { Snapshot } from "./snapshot.ts";

/** How long one answer may take, in milliseconds. After that the question is asked again. */
export const ANSWER_WITHIN_MS = 30_000;

/** What a live read needs from its owner. */
export interface LiveReadOptions<T> {
  readonly dialect: Dialect;
  readonly document: string;
  readonly variables: Variables;
  readonly onSnapshot: (snapshot: Snapshot<T>) => void;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/**
 * One document, asked again whenever its answer may have changed.
 *
 * At most one question is under way, and at most one more is remembered: however many notices
 * arrive meanwhile, one question asked after the last of them answers them all. Answers therefore
 * never overtake each other.
 */
export class LiveRead<T> {
  readonly #options: LiveReadOptions<T>;
  readonly #interest: Interest;
  #asking: AbortController | undefined;
  #again = false;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #last: Snapshot<T> | undefined;
  #lastText = "";

  constructor(options: LiveReadOptions<T>) {
    this.#options = options;
    this.#interest = options.dialect.interest(options.document, options.variables);
    this.#ask();
  }

  /** The server says that something changed. */
  notice(notice: Notice): void {
    if (this.#interest.hears(notice)) {
      this.#refresh();
    }
  }

  /** Notices may have been missed: what was asked before this moment counts no more. */
  restart(): void {
    this.#asking?.abort();
    this.#asking = undefined;
    this.#ask();
  }

  /** Ends the read. Nothing is called any more, not even for an answer under way. */
  stop(): void {
    this.#stopped = true;
    this.#asking?.abort();
    this.#asking = undefined;
    this.#cancelRetry();
  }

  #refresh(): void {
    if (this.#asking !== undefined) {
      this.#again = true;
    } else if (this.#retry === undefined) {
      this.#ask();
    }
  }

  #ask(): void {
    if (this.#stopped) {
      return;
    }
    this.#cancelRetry();
    this.#again = false;
    const asking = new AbortController();
    this.#asking = asking;
    const timer = setTimeout(() => {
      this.#settle(asking, () => this.#fail(new Error("The server did not answer in time")));
      asking.abort();
    }, ANSWER_WITHIN_MS);
    const { dialect, document, variables } = this.#options;
    dialect
      .ask(document, variables, asking.signal)
      .then(
        (answer) => this.#settle(asking, () => this.#accept(answer)),
        (error: unknown) => this.#settle(asking, () => this.#fail(asError(error))),
      )
      .finally(() => clearTimeout(timer));
  }

  /** Ends the question `asking`, unless a newer one has taken its place. */
  #settle(asking: AbortController, end: () => void): void {
    if (this.#asking !== asking) {
      return;
    }
    this.#asking = undefined;
    end();
  }

  #accept(answer: Answer): void {
    this.#failures = 0;
    if (this.#again) {
      this.#ask();
    }
    const text = JSON.stringify(answer);
    if (text === this.#lastText && this.#last?.state === "live") {
      return;
    }
    this.#lastText = text;
    const at = Date.now();
    if (answer.data === null || answer.data === undefined) {
      const message = answer.errors[0]?.message ?? "The server answered without data";
      this.#publish(this.#failed(new Error(message), answer.errors, at));
    } else {
      this.#publish({ state: "live", data: answer.data as T, errors: answer.errors, at });
    }
  }

  #fail(error: Error): void {
    this.#failures += 1;
    this.#retry = setTimeout(
      () => this.#ask(),
      backoff(this.#failures, this.#options.random()),
    );
    if (this.#failures === 1) {
      this.#publish(this.#failed(error, [], Date.now()));
    }
  }

  #cancelRetry(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #failed(error: Error, errors: Answer["errors"], now: number): Snapshot<T> {
    const { data, at } = this.#last ?? {};
    return { state: "error", data, errors, error, at: data === undefined ? now : (at ?? now) };
  }

  #publish(snapshot: Snapshot<T>): void {
    this.#last = snapshot;
    if (!this.#stopped) {
      runCallback(this.#options.onSnapshot, snapshot);
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
