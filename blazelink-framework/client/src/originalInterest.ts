import type { Interest, Notice } from "./dialect.ts";
import { type Literal, type Query, VariableReference } from "./document.ts";
import type { Variables } from "./graphql.ts";

/**
 * Which notices of the original dialect concern a query.
 *
 * The server names in a notice either what a root of the query named (something that the root's
 * answer was made from has changed) or a changed row that an identifier named, alone or with its
 * whole table. So the roots say it all; what is nested in them needs no look:
 *
 * - a root with an `identifier` hears the objects that the identifier and its `dependencies` name;
 * - a root without one is a page of a table. For table `GameEvent` it is called `gameEvents`, or, for
 *   a name that ends in `s`, with `Page` behind the name. An app can rename it; so a page that bears
 *   no known table's regular name hears every notice. Tables are known by their first notice.
 *
 * A notice about a table as a whole concerns all of its rows, and a key that cannot be told counts
 * as every key: a spare question is harmless, a missed one is a wrong screen.
 */
export class OriginalInterest implements Interest {
  readonly #objects: readonly ObjectName[];
  readonly #pages: readonly string[];
  readonly #knownPages: ReadonlySet<string>;

  /** `knownPages` grows while it is in use: see {@link pageNames}. */
  constructor(query: Query, variables: Variables, knownPages: ReadonlySet<string>) {
    const objects: ObjectName[] = [];
    const pages: string[] = [];
    const given: Record<string, unknown> = { ...query.defaults, ...variables };
    for (const root of query.roots) {
      if (root.name.startsWith("__")) {
        continue;
      }
      const identifier = resolve(root.arguments["identifier"], given);
      if (identifier === undefined || identifier === null) {
        pages.push(normalName(root.name));
      } else {
        collectObjects(identifier, root.name, objects);
      }
    }
    this.#objects = objects;
    this.#pages = pages;
    this.#knownPages = knownPages;
  }

  hears(notice: Notice): boolean {
    const entity = normalName(notice.entity);
    const named = this.#objects.some(
      (object) =>
        (object.entity === entity || object.entity === undefined) &&
        (object.key === null || notice.key === null || object.key === notice.key),
    );
    // A page whose name is the entity's own is a getter that was asked without its identifier.
    const own = [entity, ...pageNames(notice.entity)];
    return named || this.#pages.some((page) => own.includes(page) || !this.#knownPages.has(page));
  }
}

/** The regular names of the root that answers pages of a table, in normal form. */
export function pageNames(entity: string): readonly string[] {
  const name = normalName(entity);
  return [`${name}s`, `${name}page`];
}

/** A key as text. Composite keys are lists; the parts of all keys compare as text. */
export function keyText(key: unknown): string | null {
  if (key === undefined || key === null) {
    return null;
  }
  return Array.isArray(key) ? JSON.stringify(key.map(String)) : String(key);
}

interface ObjectName {
  /** In normal form; nothing if it cannot be told. */
  readonly entity: string | undefined;
  /** Null for every row. */
  readonly key: string | null;
}

/** The original dialect tells names apart by neither case nor underscores. */
function normalName(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}

function collectObjects(identifier: unknown, root: string | undefined, into: ObjectName[]): void {
  if (Array.isArray(identifier)) {
    for (const item of identifier) {
      collectObjects(item, root, into);
    }
    return;
  }
  if (typeof identifier !== "object" || identifier === null) {
    return;
  }
  const { entity, obj_id: key, dependencies } = identifier as Record<string, unknown>;
  // A getter bears its type's name, so an identifier without entity, or with another one (which the
  // server refuses), still names the getter's own type.
  const name = root ?? (typeof entity === "string" ? entity : undefined);
  into.push({ entity: name === undefined ? undefined : normalName(name), key: keyText(key) });
  collectObjects(dependencies, undefined, into);
}

/** The value of a literal, its variables filled in. */
function resolve(literal: Literal | undefined, given: Readonly<Record<string, unknown>>): unknown {
  if (literal instanceof VariableReference) {
    const value = given[literal.name];
    return value instanceof VariableReference ? undefined : value;
  }
  if (Array.isArray(literal)) {
    return literal.map((item: Literal) => resolve(item, given));
  }
  if (typeof literal === "object" && literal !== null) {
    return Object.fromEntries(
      Object.entries(literal).map(([name, value]) => [name, resolve(value as Literal, given)]),
    );
  }
  return literal;
}
