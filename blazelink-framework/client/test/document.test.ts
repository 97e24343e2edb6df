import { expect, test } from "vitest";
import { parseQuery, VariableReference } from "../src/document.ts";

const roots = (document: string) => parseQuery(document)?.roots;

test.each<[string, unknown]>([
  ["{ users { count } }", [{ name: "users", arguments: {} }]],
  ["{a b,c}", [{ name: "a", arguments: {} }, { name: "b", arguments: {} }, { name: "c", arguments: {} }]],
  ["query Q { mine: user(identifier: {obj_id: 1}) { id } }", [{ name: "user", arguments: { identifier: { obj_id: 1 } } }]],
  ["{ a(x: -1.5e3, y: [true, null, RED], z: {}) }", [{ name: "a", arguments: { x: -1500, y: [true, null, "RED"], z: {} } }]],
  ["{ a(key: 9007199254740993) }", [{ name: "a", arguments: { key: "9007199254740993" } }]],
  ['{ a(s: "}\\"\\u0041") }', [{ name: "a", arguments: { s: '}"A' } }]],
  ['{ a(s: """ } \\""" { """) b }', [{ name: "a", arguments: { s: '} """ {' } }, { name: "b", arguments: {} }]],
  ["\uFEFF# { x }\n{ a @include(if: $b) { ...F } } fragment F on A @d { b { c } }", [{ name: "a", arguments: {} }]],
  ["query @live { a { b(c: {d: 1}) { e } } f }", [{ name: "a", arguments: {} }, { name: "f", arguments: {} }]],
])("%s", (document, expected) => {
  expect(roots(document)).toEqual(expected);
});

test("variables are told from values, and their defaults are known", () => {
  const query = parseQuery("query Q($id: [Int!]! = [3], $who: ObjectIdInput @d, $n: Int = 4) { a(k: $id) }");
  expect(query?.roots[0]?.arguments["k"]).toEqual(new VariableReference("id"));
  expect(query?.defaults).toEqual({ id: [3], n: 4 });
});

test.each([
  "",
  "{",
  "{ a(",
  "{ a ) }",
  "{ a(b c) }",
  '{ a(s: "x) }',
  "{ ...F } fragment F on Query { a }",
  "{ ... on Query { a } }",
  "mutation { a }",
  "subscription { a }",
  "query A { a } query B { b }",
  "{ a(x: &) }",
  "{ a } ^",
  "fragment F on A { b }",
])("%s may ask for anything", (document) => {
  expect(parseQuery(document)).toBeUndefined();
});

test("no cut or changed document makes the parser fail", () => {
  const whole = 'query Q($a: Int = 1) { x: a(b: [{c: "d"}], e: $a) @f(g: """h""") { ...I } } fragment I on J { k }';
  for (let at = 0; at < whole.length; at++) {
    for (const piece of ["", "}", "{", '"', "$", "(", "\\", "\u0000"]) {
      parseQuery(whole.slice(0, at) + piece);
      parseQuery(whole.slice(0, at) + piece + whole.slice(at + 1));
    }
  }
});
