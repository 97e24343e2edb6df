// @ts-check
/** One object that the original's client reads: its fields, and what it watches. */
import { getter, queryText } from "./query.js";

/** @typedef {import("./query.js").ObjectId} ObjectId */
/** @typedef {import("./field.js").Declaration} Declaration */

/**
 * A table that models of a class watch as a whole, and which of its changes matter to them.
 *
 * @typedef {object} Dependency
 * @property {string} entity
 * @property {string[]} events kinds of change; empty for all
 * @property {(message: Update, changes: Changes, model: Model) => boolean} predicate
 * @property {Record<string, string>} where own properties and the columns they are compared with
 */

/**
 * What an application declares of one entity.
 *
 * @typedef {object} Class
 * @property {string} entity
 * @property {Record<string, Declaration>} fields by the names of the properties
 * @property {Dependency[]} [dependencies]
 */

/** @typedef {Record<string, unknown> | null | undefined} Changes */

/**
 * @typedef {object} Update
 * @property {unknown} msg_id
 * @property {{ update_type: string, identifier: ObjectId, changes: Changes }} data
 */

/**
 * What a model needs of its client.
 *
 * @typedef {object} Surroundings
 * @property {(identifier: ObjectId) => Model} resolve
 * @property {(query: string) => Promise<any>} ask
 * @property {(work: Promise<void>) => void} background
 * @property {(sentence: string) => void} warn
 */

/**
 * A dependency of a class. The second argument cannot be left out, as it could not in the original.
 *
 * @param {string} entity
 * @param {Partial<Omit<Dependency, "entity">>} options
 * @returns {Dependency}
 */
export function dependency(entity, { events = [], predicate = () => true, where = {} }) {
  return { entity, events, predicate, where };
}

/** Its properties are the declared fields. Reading the first one asks for all of them. */
export class Model {
  #surroundings;
  #class;
  #identifier;
  #asked = false;

  /** @type {Map<string, import("./field.js").Field>} */
  #fields = new Map();

  /**
   * @param {Surroundings} surroundings
   * @param {Class} declared
   * @param {ObjectId & { dependencies: ObjectId[] }} identifier
   */
  constructor(surroundings, declared, identifier) {
    this.#surroundings = surroundings;
    this.#class = declared;
    this.#identifier = identifier;
    const { resolve, background } = surroundings;
    const owner = { resolve, background, refetch: () => this.refetch() };
    for (const [property, declare] of Object.entries(declared.fields)) {
      this.#fields.set(property, declare(owner));
      Object.defineProperty(this, property, { get: () => this.#read(property), enumerable: true });
    }
  }

  /** How a view names it. @returns {ObjectId} */
  get objectId() {
    const { obj_id, entity, modifiers, dependencies } = this.#identifier;
    return { obj_id, entity, modifiers, dependencies };
  }

  /** What it watches: itself, what it was given, and the tables of its class, which filter. */
  get watched() {
    const { obj_id, entity, dependencies } = this.#identifier;
    const declared = this.#class.dependencies ?? [];
    return [
      { entity, obj_id },
      ...dependencies,
      ...declared.map((filter) => ({ entity: filter.entity, obj_id: null, filter })),
    ];
  }

  /** Sends its query now. */
  refetch() {
    this.#asked = true;
    this.#surroundings.background(this.#fetch());
  }

  /**
   * Whether a change of a table that its class declares matters to it.
   *
   * @param {Dependency} filter
   * @param {Update} message
   */
  minds({ events, predicate, where }, message) {
    const { update_type, changes } = message.data;
    if (events.length > 0 && !events.includes(update_type)) {
      return false;
    }
    if (predicate(message, changes, this) === false) {
      return false;
    }
    const pairs = Object.entries(where);
    const equal = ([own = "", column = ""]) => this.#fields.get(own)?.value === changes?.[column];
    return pairs.length === 0 || (changes != null && pairs.some(equal));
  }

  async #fetch() {
    const { ask, warn } = this.#surroundings;
    const { entity } = this.#identifier;
    const answer = await ask(this.#query());
    const row = answer.data[getter(entity)];
    if (row == null) {
      warn(`${entity} was not answered`);
    } else {
      for (const field of this.#fields.values()) {
        if (field.name in row) {
          field.accept(row[field.name]);
        } else {
          warn(`${entity} was answered without ${field.name}`);
        }
      }
    }
  }

  /** The identifier is made without modifiers, and names what was given twice. */
  #query() {
    const { obj_id, entity, dependencies: given } = this.#identifier;
    const bare = given.map((one) => ({ entity: one.entity, obj_id: one.obj_id }));
    const tables = (this.#class.dependencies ?? []).map((one) => ({ entity: one.entity, obj_id: null }));
    const dependencies = [...given, { entity, obj_id }, ...bare, ...tables];
    const selection = [...this.#fields.values()].flatMap((field) => field.selection);
    return queryText({ obj_id, entity, dependencies }, selection);
  }

  /** @param {string} property */
  #read(property) {
    if (!this.#asked) {
      this.refetch();
    }
    return this.#fields.get(property)?.value;
  }
}
