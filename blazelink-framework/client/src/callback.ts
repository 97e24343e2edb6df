/**
 * Runs the page's callbacks. One that throws is reported as the browser reports any uncaught
 * error, and keeps nobody else from being called.
 */
export function runCallback<T>(run: (value: T) => void, value: T): void {
  try {
    run(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
