import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeServer } from "./fakeServer.ts";

/** As much of a browser as the client looks at. */
const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
const browser = new EventTarget();

const shown = (persisted: boolean) => Object.assign(new Event("pageshow"), { persisted });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", browser);
  page.visibilityState = "visible";
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test.each<[string, () => void, number]>([
  ["the network is back", () => browser.dispatchEvent(new Event("online")), 2],
  ["the page is seen again", () => page.dispatchEvent(new Event("visibilitychange")), 2],
  [
    "the page is hidden",
    () => {
      page.visibilityState = "hidden";
      page.dispatchEvent(new Event("visibilitychange"));
    },
    1,
  ],
  ["the page comes out of the browser's cache", () => browser.dispatchEvent(shown(true)), 2],
  ["the page has been loaded", () => browser.dispatchEvent(shown(false)), 1],
])("%s: sockets opened so far without waiting", (_, happen, sockets) => {
  const server = new FakeServer();
  const client = server.client();
  server.socket.fail();
  happen();
  expect(server.sockets).toHaveLength(sockets);
  client.close();
  browser.dispatchEvent(new Event("online"));
  expect(server.sockets).toHaveLength(sockets);
});

test("a page that is seen again asks the server whether it is there", () => {
  const server = new FakeServer();
  const client = server.client();
  server.socket.accept();
  page.dispatchEvent(new Event("visibilitychange"));
  expect(server.socket.received).toEqual([{ type: "PingEvent", data: { ping_id: 1 } }]);
  vi.advanceTimersByTime(10_000);
  expect(client.status.current.name).toBe("offline");
});
