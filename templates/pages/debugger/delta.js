// Puts together what the stream tells: the value before and a delta give the value after. What a delta
// means stands at the head of `delta.rs`.

/**
 * @param {any} before
 * @param {any[]} delta
 * @returns {any}
 */
export function apply(before, delta) {
  switch (delta[0]) {
    case 0:
      return delta[1];
    case 1: {
      const after = { ...before };
      for (const [name, change] of Object.entries(delta[1])) {
        if (change[0] === 3) {
          delete after[name];
        } else {
          after[name] = apply(after[name], change);
        }
      }
      return after;
    }
    case 2: {
      const [, name, order, changed] = delta;
      const old = new Map(before.map((/** @type {any} */ it) => [String(it[name]), it]));
      return order.map((/** @type {string} */ key) =>
        key in changed ? apply(old.get(key), changed[key]) : old.get(key),
      );
    }
    default:
      throw new Error(`A delta of kind ${delta[0]} is not known: reload the page`);
  }
}
