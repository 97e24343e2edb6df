import { expect, test, vi } from "vitest";
import { newSessionId } from "../src/sessionId.ts";

test("a session id is 128 bits that come from the secure generator alone", () => {
  const secure = vi.spyOn(crypto, "getRandomValues");
  const guessable = vi.spyOn(Math, "random");
  expect(newSessionId()).toMatch(/^[0-9a-f]{32}$/);
  expect(secure.mock.lastCall?.[0]).toHaveLength(16);
  expect(guessable).not.toHaveBeenCalled();
});
