// What may stand at a place of a GraphQL document, by the app's schema (GraphQL specification, section 2).
// Pure: the field in which a query is typed asks it.

/**
 * A type by what it has: fields of an object with their arguments, fields of an input, values of an enum.
 *
 * @typedef {{fields: Map<string, Field>}} Type
 * @typedef {{type: string, args: Map<string, string>}} Field
 * @typedef {{types: Map<string, Type>, roots: Record<string, string>}} Schema
 */

/** What the schema is asked for itself. */
export const INTROSPECTION = `{ __schema {
  queryType { name } mutationType { name } subscriptionType { name }
  types { name
    fields(includeDeprecated: true) { name type { ...named } args { name type { ...named } } }
    inputFields { name type { ...named } } enumValues { name }
  }
} }
fragment named on __Type { name ofType { name ofType { name ofType { name } } } }`;

const TOKEN = /"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?|#[^\n]*|\.\.\.|[_A-Za-z]\w*|-?\d[\w.+-]*|[{}()[\]:$!@=|&]/g;

/** @param {any} type @returns {string} */
function nameOf(type) {
  return type.name ?? (type.ofType === undefined || type.ofType === null ? "" : nameOf(type.ofType));
}

/** @param {any} told the answer to the introspection @returns {Schema} */
export function schemaOf({ __schema: told }) {
  const types = new Map();
  for (const { name, fields, inputFields, enumValues } of told.types) {
    const all = new Map();
    for (const it of [...(fields ?? []), ...(inputFields ?? [])]) {
      const args = new Map((it.args ?? []).map((/** @type {any} */ arg) => [arg.name, nameOf(arg.type)]));
      all.set(it.name, { type: nameOf(it.type), args });
    }
    for (const it of enumValues ?? []) {
      all.set(it.name, { type: name, args: new Map() });
    }
    types.set(name, { fields: all });
  }
  const roots = { query: told.queryType?.name, mutation: told.mutationType?.name, subscription: told.subscriptionType?.name };
  return { types, roots };
}

/**
 * What may follow at the end of `text`, and how many letters of it are there already.
 *
 * @param {string} text the document up to the cursor
 * @param {Schema} schema
 * @returns {{names: string[], begun: number}}
 */
export function completions(text, schema) {
  const begun = /[_A-Za-z]\w*$/.exec(text)?.[0] ?? "";
  const names = possible(text.slice(0, text.length - begun.length), schema);
  const fits = names.filter((name) => name.toLowerCase().startsWith(begun.toLowerCase()) && name !== begun);
  return { names: fits.sort(), begun: begun.length };
}

/** @param {string} text @param {Schema} schema @returns {string[]} */
function possible(text, schema) {
  /** Where selections and inputs that are open are. @type {{type: string, input: boolean}[]} */
  const open = [];
  /** Fields whose arguments are open, each with its name. @type {{name: string, args: Map<string, string>}[]} */
  const calls = [];
  let root = schema.roots.query ?? "";
  /** The field, argument or condition that was named last. */
  let last = "";
  let value = false;
  let condition = false;
  const field = (/** @type {string} */ name) => schema.types.get(open.at(-1)?.type ?? "")?.fields.get(name);
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('"') || token.startsWith("#")) {
      value = false;
      continue;
    }
    switch (token) {
      case "{": {
        const input = calls.length > 0;
        const inner = open.at(-1)?.input === true || !input ? field(last)?.type : calls.at(-1)?.args.get(last);
        const type = condition ? last : open.length === 0 && !input ? root : (inner ?? "");
        open.push({ type, input });
        last = "";
        condition = false;
        value = false;
        break;
      }
      case "}":
        open.pop();
        last = "";
        value = false;
        break;
      case "(":
        // Those of an operation declare variables.
        calls.push({ name: last, args: (open.length === 0 ? undefined : field(last)?.args) ?? new Map() });
        value = false;
        break;
      case ")":
        last = calls.pop()?.name ?? "";
        value = false;
        break;
      case ":":
        value = calls.length > 0;
        break;
      case "...":
        condition = true;
        last = "";
        break;
      case "on":
        break;
      default:
        if (/^\w/.test(token)) {
          if (open.length === 0 && calls.length === 0 && token in schema.roots) {
            root = schema.roots[token] ?? "";
          }
          if (!value) {
            last = token;
          }
          value = false;
        }
    }
  }
  if (condition) {
    return /\bon\s*$/.test(text) ? [...schema.types.keys()].filter((name) => !name.startsWith("__")) : ["on"];
  }
  if (open.length === 0 && calls.length === 0) {
    return Object.keys(schema.roots).filter((name) => schema.roots[name] !== undefined);
  }
  const inInput = open.at(-1)?.input === true;
  if (value) {
    const type = inInput ? field(last)?.type : calls.at(-1)?.args.get(last);
    const of = schema.types.get(type ?? "")?.fields;
    // Only values of enums are names: their fields are of the type itself.
    return [...(of ?? [])].filter(([, it]) => it.type === type).map(([name]) => name);
  }
  if (calls.length > 0 && !inInput) {
    return [...(calls.at(-1)?.args.keys() ?? [])];
  }
  return [...(schema.types.get(open.at(-1)?.type ?? "")?.fields.keys() ?? [])];
}
