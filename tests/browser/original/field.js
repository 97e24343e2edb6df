// @ts-check
/** The kinds of fields that a model declares: what each selects, and what it makes of an answer. */
import { REFERENCE } from "./query.js";

/** @typedef {import("./query.js").ObjectId} ObjectId */

/**
 * What a field needs of the model that it belongs to.
 *
 * @typedef {object} Owner
 * @property {(identifier: ObjectId) => unknown} resolve the model of an identifier
 * @property {() => void} refetch asks again
 * @property {(work: Promise<void>) => void} background takes what may fail later
 */

/**
 * A field of one model.
 *
 * @typedef {object} Field
 * @property {string} name its GraphQL name
 * @property {string[]} selection its lines in a query
 * @property {unknown} value what reading the property gives
 * @property {(data: any) => void} accept takes an answer's value
 */

/** @typedef {(owner: Owner) => Field} Declaration */

/**
 * @param {string} name
 * @returns {Declaration}
 */
export function scalar(name) {
  return () => new Plain(name, [name]);
}

/**
 * Values in values. `fields` are the declarations of the inner ones.
 *
 * @param {string} name
 * @param {Declaration[]} fields
 * @returns {Declaration}
 */
export function struct(name, fields) {
  return (owner) => {
    const inner = fields.flatMap((declare) => declare(owner).selection);
    return new Plain(name, [`${name} {`, ...inner, "}"]);
  };
}

/**
 * A reference to one row.
 *
 * @param {string} name
 * @returns {Declaration}
 */
export function relation(name) {
  return (owner) => new Relation(owner, name);
}

/**
 * A page of rows, the first at the beginning.
 *
 * @param {string} name
 * @param {number} size
 * @returns {Declaration}
 */
export function page(name, size) {
  return (owner) => new Page(owner, name, size);
}

/** Kept as it was answered. @implements {Field} */
class Plain {
  /** @type {unknown} */
  value = undefined;

  /**
   * @param {string} name
   * @param {string[]} selection
   */
  constructor(name, selection) {
    this.name = name;
    this.selection = selection;
  }

  /** @param {unknown} data */
  accept(data) {
    this.value = data;
  }
}

/** @implements {Field} */
class Relation {
  #owner;

  /** @type {ObjectId | null | undefined} */
  #identifier;

  /**
   * @param {Owner} owner
   * @param {string} name
   */
  constructor(owner, name) {
    this.#owner = owner;
    this.name = name;
    this.selection = [`${name} {`, ...REFERENCE, "}"];
  }

  get value() {
    return this.#identifier ? this.#owner.resolve(this.#identifier) : this.#identifier;
  }

  /** @param {ObjectId | null} data */
  accept(data) {
    this.#identifier = data;
  }
}

/** Its own value: a list of models, one page of them. @implements {Field} */
export class Page {
  #owner;
  #size;
  #number = 0;

  /** @type {unknown[]} */
  #items = [];

  /** How many rows all pages have. */
  count = 0;

  /**
   * @param {Owner} owner
   * @param {string} name
   * @param {number} size
   */
  constructor(owner, name, size) {
    this.#owner = owner;
    this.name = name;
    this.#size = size;
  }

  get selection() {
    const call = `${this.name}(page: ${this.#number}, size: ${this.#size})`;
    return [`${call} {`, "items {", ...REFERENCE, "}", "count", "}"];
  }

  get value() {
    return this;
  }

  get length() {
    return this.#items.length;
  }

  /**
   * The model of one row of this page.
   *
   * @param {number} index
   * @returns {any}
   */
  at(index) {
    return this.#items.at(index);
  }

  /**
   * Asks for another page; the rows stay until it is answered.
   *
   * @param {number} number
   */
  setPage(number) {
    this.#number = number;
    this.#owner.refetch();
  }

  /** @param {{ items: (ObjectId | null)[], count: number } | null} data */
  accept(data) {
    if (data === null) {
      return;
    }
    const identifiers = [...data.items];
    this.count = data.count;
    this.#owner.background(this.#fill(identifiers));
  }

  /**
   * A row that cannot be found leaves the list empty, and is an error that nobody awaits.
   *
   * @param {(ObjectId | null)[]} identifiers
   */
  async #fill(identifiers) {
    this.#items = [];
    this.#items = identifiers.map((one) => (one === null ? null : this.#owner.resolve(one)));
  }
}
