import { runCallback } from "./callback.ts";

/**
 * A value that changes over time, and those who want to know.
 *
 * The one base class of this package. Its shape is what `useSyncExternalStore` and the stores of
 * Svelte, Vue and Solid expect: `current`, and a `subscribe` that calls back at once.
 */
export class Subscribable<T> {
  #current: T;
  readonly #listeners = new Set<{ run: (value: T) => void }>();

  constructor(initial: T) {
    this.#current = initial;
  }

  /** The value now. */
  get current(): T {
    return this.#current;
  }

  /** Calls `run` now and after every change, until the function returned is called. */
  subscribe(run: (value: T) => void): () => void {
    const listener = { run };
    this.#listeners.add(listener);
    runCallback(run, this.#current);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Changes the value and tells everyone. For the class that extends this one. */
  protected publish(value: T): void {
    this.#current = value;
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) {
        runCallback(listener.run, value);
      }
    }
  }
}
