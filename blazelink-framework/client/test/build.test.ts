import { expect, test } from "vitest";
// @ts-ignore: the module is checked against its declarations here, not compiled.
import * as built from "../dist/blazelink.js";
import type { Snapshot } from "../dist/blazelink.js";
import * as source from "../src/index.ts";

test("the committed module exports what the sources export", () => {
  expect(Object.keys(built).sort()).toEqual(Object.keys(source).sort());
});

test("the committed declarations type a page's code", () => {
  const render = (snapshot: Snapshot<{ user: { name: string } }>): string =>
    snapshot.state === "live" ? snapshot.data.user.name : snapshot.error.message;
  expect(render({ state: "error", data: undefined, errors: [], error: new Error("x"), at: 0 })).toBe("x");
});
