import { expect, test } from "vitest";
import type { Notice } from "../src/dialect.ts";
import type { Variables } from "../src/index.ts";
import { OriginalDialect } from "../src/originalDialect.ts";
import { update } from "./fakeServer.ts";

/** Whether a document hears a notice, after the tables `known` have been heard of. */
function hears(document: string, variables: Variables, [entity, key]: [string, unknown], known: string[] = []): boolean {
  const dialect = new OriginalDialect({
    url: "http://server.test",
    authorization: () => undefined,
    fetch: () => Promise.reject(new Error("Nothing is asked here")),
  });
  const interest = dialect.interest(document, variables);
  for (const name of known) {
    dialect.hear(JSON.stringify(update(name, 1)));
  }
  const { notice } = dialect.hear(JSON.stringify(update(entity, key)));
  return interest.hears(notice as Notice);
}

const ROW = "{ user(identifier: {obj_id: 3}) { id } }";
const BY_VARIABLE = "query ($id: Key = 3) { user(identifier: {obj_id: $id}) { id } }";
const BY_IDENTIFIER = "query ($who: ObjectIdInput) { user(identifier: $who) { id } }";
const DEPENDENT = '{ user(identifier: {obj_id: 3, dependencies: [{entity: "GameEvent"}, {entity: "Team", obj_id: 1}]}) { id } }';

test.each<[string, Variables, [string, unknown], boolean]>([
  // A row hears itself, its whole table, and no other row.
  [ROW, {}, ["User", 3], true],
  [ROW, {}, ["User", "3"], true],
  [ROW, {}, ["User", null], true],
  [ROW, {}, ["User", 4], false],
  [ROW, {}, ["Team", 3], false],
  // The original server spells `GameEvent` as `Gameevent` or `Game_event`.
  ["{ gameEvent(identifier: {obj_id: 3}) { id } }", {}, ["Game_event", 3], true],
  ["{ gameEvent(identifier: {obj_id: 3}) { id } }", {}, ["Gameevent", 3], true],
  // Keys of every kind.
  ['{ user(identifier: {obj_id: "a-1"}) { id } }', {}, ["User", "a-1"], true],
  ['{ user(identifier: {obj_id: "a-1"}) { id } }', {}, ["User", "a-2"], false],
  ['{ stock(identifier: {obj_id: [1, "S1"]}) { id } }', {}, ["Stock", [1, "S1"]], true],
  ['{ stock(identifier: {obj_id: [1, "S1"]}) { id } }', {}, ["Stock", [1, "S2"]], false],
  ["{ user(identifier: {obj_id: 9007199254740993}) { id } }", {}, ["User", "9007199254740993"], true],
  // Variables, given, by default, and missing.
  [BY_VARIABLE, { id: 4 }, ["User", 4], true],
  [BY_VARIABLE, { id: 4 }, ["User", 3], false],
  [BY_VARIABLE, {}, ["User", 3], true],
  [BY_VARIABLE, {}, ["User", 4], false],
  [BY_IDENTIFIER, { who: { obj_id: 3 } }, ["User", 3], true],
  [BY_IDENTIFIER, { who: { obj_id: 3 } }, ["User", 4], false],
  [BY_IDENTIFIER, {}, ["User", 4], true],
  // Dependencies that an identifier declares, nested ones too.
  [DEPENDENT, {}, ["GameEvent", 12], true],
  [DEPENDENT, {}, ["Team", 1], true],
  [DEPENDENT, {}, ["Team", 2], false],
  ['{ playerStats(identifier: {dependencies: [{entity: "A", dependencies: [{entity: "B", obj_id: 1}]}]}) { id } }', {}, ["B", 1], true],
  ["query ($deps: [ObjectIdInput]) { playerStats(identifier: {dependencies: $deps}) { id } }", { deps: [{ entity: "A", obj_id: 1 }] }, ["A", 1], true],
  // Several roots.
  ["{ a: user(identifier: {obj_id: 1}) { id } b: user(identifier: {obj_id: 2}) { id } }", {}, ["User", 2], true],
  // What is not understood may ask for anything.
  ["{ ...F } fragment F on Query { user(identifier: {obj_id: 3}) { id } }", {}, ["Team", 1], true],
  ["{ __schema { types { name } } }", {}, ["Team", 1], false],
])("%s %o hears %o: %s", (document, variables, notice, expected) => {
  expect(hears(document, variables, notice)).toBe(expected);
});

test.each<[string, [string, unknown], string[], boolean]>([
  // A page hears every row of its table.
  ["{ users { count } }", ["User", 17], [], true],
  ["{ users { count } }", ["User", null], [], true],
  ["{ newsPage { count } }", ["News", 17], [], true],
  ["{ gameEvents { count } }", ["GameEvent", 17], ["GameEvent"], true],
  // Whose page it is becomes known with the first notice of that table.
  ["{ users { count } }", ["Team", 1], [], true],
  ["{ users { count } }", ["Team", 1], ["User"], false],
  // A page whose name the app has chosen hears everything.
  ["{ people { count } }", ["Person", 1], ["Person", "Team"], true],
  ["{ people { count } }", ["Team", 1], ["Person", "Team"], true],
  // A getter without identifier whose name is the regular page of another table.
  ["{ playerStats { kills } }", ["PlayerStats", null], ["PlayerStat"], true],
])("page %s hears %o after %o: %s", (document, notice, known, expected) => {
  expect(hears(document, {}, notice, known)).toBe(expected);
});
