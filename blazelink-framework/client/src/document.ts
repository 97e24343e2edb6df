/**
 * What a GraphQL document asks for at its root, and nothing more.
 *
 * Only as much of GraphQL is read as is needed to know which objects a document names. Whatever is
 * not understood makes the answer `undefined`, which means "may ask for anything"; whether the
 * document is valid is for the server to say.
 */

/** A value in a document. Names of enums are not told apart from strings. */
export type Literal =
  | null
  | boolean
  | number
  | string
  | VariableReference
  | readonly Literal[]
  | { readonly [field: string]: Literal };

/** `$name` in a document. */
export class VariableReference {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A field at the root of a document. */
export interface RootField {
  readonly name: string;
  readonly arguments: Readonly<Record<string, Literal>>;
}

/** A query. */
export interface Query {
  readonly roots: readonly RootField[];
  /** Values of variables that are not given. */
  readonly defaults: Readonly<Record<string, Literal>>;
}

/** The one query of a document, or nothing if it may ask for anything. */
export function parseQuery(document: string): Query | undefined {
  try {
    return new Parser(tokens(document)).query();
  } catch (error) {
    if (error instanceof NotUnderstood) {
      return undefined;
    }
    throw error;
  }
}

class NotUnderstood extends Error {}

interface Token {
  readonly kind: "name" | "number" | "string" | "punctuator" | "end";
  readonly text: string;
}

const END: Token = { kind: "end", text: "" };

/** White space, commas and comments, then one token. The order of the groups is that of GraphQL. */
const TOKEN =
  /(?:[\s,\uFEFF]|#[^\n\r]*)*(?:([A-Za-z_]\w*)|(-?\d[\d.eE+-]*)|("""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n\r])*")|(\.\.\.|[!$&()=:@[\]{|}]))/y;

const IGNORED = /(?:[\s,\uFEFF]|#[^\n\r]*)*/y;

function tokens(document: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(document);
    if (match === null) {
      IGNORED.lastIndex = at;
      IGNORED.exec(document);
      if (IGNORED.lastIndex < document.length) {
        throw new NotUnderstood();
      }
      return found;
    }
    at = TOKEN.lastIndex;
    found.push(token(match));
  }
}

function token([, name, number, string, punctuator = ""]: RegExpExecArray): Token {
  if (name !== undefined) {
    return { kind: "name", text: name };
  }
  if (number !== undefined) {
    return { kind: "number", text: number };
  }
  if (string !== undefined) {
    return { kind: "string", text: string };
  }
  return { kind: "punctuator", text: punctuator };
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(found: readonly Token[]) {
    this.#tokens = found;
  }

  query(): Query {
    let query: Query | undefined;
    while (this.#peek().kind !== "end") {
      if (this.#peek().text === "fragment") {
        this.#fragment();
      } else if (query === undefined) {
        query = this.#operation();
      } else {
        throw new NotUnderstood();
      }
    }
    if (query === undefined) {
      throw new NotUnderstood();
    }
    return query;
  }

  #operation(): Query {
    let defaults: Record<string, Literal> = {};
    if (this.#peek().kind === "name") {
      this.#expect("query");
      if (this.#peek().kind === "name") {
        this.#next();
      }
      if (this.#peek().text === "(") {
        defaults = this.#variables();
      }
      this.#directives();
    }
    this.#expect("{");
    const roots: RootField[] = [];
    while (!this.#take("}")) {
      roots.push(this.#field());
    }
    return { roots, defaults };
  }

  /** A fragment at the root is not understood: `...` is no name. */
  #field(): RootField {
    let name = this.#name();
    if (this.#take(":")) {
      name = this.#name();
    }
    const found = this.#peek().text === "(" ? this.#arguments() : {};
    this.#directives();
    if (this.#peek().text === "{") {
      this.#skip("{", "}");
    }
    return { name, arguments: found };
  }

  #arguments(): Record<string, Literal> {
    this.#expect("(");
    return this.#fields(")");
  }

  #fields(end: string): Record<string, Literal> {
    const found: [string, Literal][] = [];
    while (!this.#take(end)) {
      const name = this.#name();
      this.#expect(":");
      found.push([name, this.#value()]);
    }
    return Object.fromEntries(found);
  }

  #value(): Literal {
    const { kind, text } = this.#next();
    switch (kind) {
      case "name":
        return text === "null" ? null : text === "true" ? true : text === "false" ? false : text;
      case "number":
        // A key beyond what a number holds exactly is compared as the text it is.
        return Number.isSafeInteger(Number(text)) ? Number(text) : text;
      case "string":
        return unquoted(text);
      default:
        return this.#compound(text);
    }
  }

  #compound(opening: string): Literal {
    switch (opening) {
      case "$":
        return new VariableReference(this.#name());
      case "[": {
        const items: Literal[] = [];
        while (!this.#take("]")) {
          items.push(this.#value());
        }
        return items;
      }
      case "{":
        return this.#fields("}");
      default:
        throw new NotUnderstood();
    }
  }

  #variables(): Record<string, Literal> {
    const defaults: [string, Literal][] = [];
    this.#expect("(");
    while (!this.#take(")")) {
      this.#expect("$");
      const name = this.#name();
      this.#expect(":");
      this.#type();
      if (this.#take("=")) {
        defaults.push([name, this.#value()]);
      }
      this.#directives();
    }
    return Object.fromEntries(defaults);
  }

  #type(): void {
    if (this.#take("[")) {
      this.#type();
      this.#expect("]");
    } else {
      this.#name();
    }
    this.#take("!");
  }

  #directives(): void {
    while (this.#take("@")) {
      this.#name();
      if (this.#peek().text === "(") {
        this.#skip("(", ")");
      }
    }
  }

  #fragment(): void {
    this.#expect("fragment");
    this.#name();
    this.#expect("on");
    this.#name();
    this.#directives();
    this.#skip("{", "}");
  }

  #skip(opening: string, closing: string): void {
    this.#expect(opening);
    for (let depth = 1; depth > 0; ) {
      const { kind, text } = this.#next();
      if (kind === "punctuator") {
        depth += text === opening ? 1 : text === closing ? -1 : 0;
      }
    }
  }

  #name(): string {
    const { kind, text } = this.#next();
    if (kind !== "name") {
      throw new NotUnderstood();
    }
    return text;
  }

  #expect(text: string): void {
    if (this.#next().text !== text) {
      throw new NotUnderstood();
    }
  }

  #take(text: string): boolean {
    const found = this.#peek();
    if (found.kind !== "punctuator" || found.text !== text) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? END;
  }

  #next(): Token {
    const found = this.#peek();
    if (found.kind === "end") {
      throw new NotUnderstood();
    }
    this.#at += 1;
    return found;
  }
}

function unquoted(quoted: string): string {
  if (quoted.startsWith('"""')) {
    return quoted.slice(3, -3).replaceAll('\\"""', '"""').trim();
  }
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new NotUnderstood();
  }
}
