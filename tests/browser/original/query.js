// @ts-check
/**
 * The text of the queries that the original's browser client sends, blank by blank: it is compared
 * with recordings byte for byte.
 */

/**
 * How the original names what is read and watched. Keys that were left out stay left out in a
 * query; `modifiers` then reads `undefined`.
 *
 * @typedef {object} ObjectId
 * @property {number | null} obj_id
 * @property {string} entity
 * @property {string | null} [modifiers]
 * @property {ObjectId[]} [dependencies]
 */

/** What is selected of a reference to an object. */
export const REFERENCE = [
  "    obj_id",
  "    entity",
  "    modifiers",
  "    dependencies { obj_id entity modifiers }",
];

/**
 * The query for one object. `selection` is the lines of its fields.
 *
 * @param {ObjectId} identifier
 * @param {string[]} selection
 */
export function queryText({ obj_id, entity, modifiers, dependencies }, selection) {
  return [
    "query {",
    `    ${getter(entity)}(identifier: {`,
    `        obj_id: ${literal(obj_id)} `,
    `        entity: ${literal(entity)}`,
    `        modifiers: "${modifiers}"`,
    `        dependencies: ${literal(dependencies)}`,
    "    } ) {",
    ...selection.map((line) => `        ${line}`),
    "    }",
    "}",
  ].join("\n");
}

/**
 * The root field that answers for an entity.
 *
 * @param {string} entity
 */
export function getter(entity) {
  return entity.charAt(0).toLowerCase() + entity.slice(1);
}

/**
 * The root field that a request's body asks.
 *
 * @param {string} body
 */
export function asked(body) {
  const [, getter = ""] = /\b(\w+)\(identifier:/.exec(body) ?? [];
  return getter;
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function literal(value) {
  if (Array.isArray(value)) {
    return `[${value.map(literal).join(", ")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${name}: ${literal(field)}`);
    return `{${fields.join(",")}}`;
  }
  return JSON.stringify(value);
}
