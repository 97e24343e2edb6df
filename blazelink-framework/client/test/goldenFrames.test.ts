import { expect, test } from "vitest";
import { OriginalDialect } from "../src/originalDialect.ts";

/** The frames that server and client agree on, each written by one and read by the other. */
interface Golden {
  readonly message?: string;
  readonly direction: "client" | "server";
  readonly msg_id?: number;
  readonly frame?: string;
}

const files = import.meta.glob<Golden>("../../protocol/*.json", { eager: true, import: "default" });
const golden = Object.values(files);

function framesOf(message: string): { msg_id: number | undefined; frame: string }[] {
  return golden
    .filter((file) => file.message === message)
    .map(({ msg_id, frame }) => ({ msg_id, frame: frame ?? "" }));
}

function dialect(): OriginalDialect {
  return new OriginalDialect({
    url: "http://server.test",
    authorization: () => undefined,
    fetch: () => Promise.reject(new Error("Nothing is asked here")),
  });
}

test("every kind of update is confirmed, and understood as a notice", () => {
  const updates = framesOf("ModelUpdateEvent");
  expect(updates.length).toBeGreaterThan(0);
  for (const { msg_id, frame } of updates) {
    const { entity, obj_id } = JSON.parse(frame).data.identifier;
    const { notice, reply } = dialect().hear(frame);
    expect(notice).toEqual({ entity, key: obj_id === null ? null : String(obj_id) });
    expect(JSON.parse(reply ?? "")).toEqual({
      type: "ConfirmEvent",
      data: { confirm_message_id: msg_id, payload: {} },
    });
  }
});

test("a confirmation is the agreed frame", () => {
  const confirm = framesOf("ConfirmEvent")[0]?.frame ?? "";
  const { confirm_message_id } = JSON.parse(confirm).data;
  const update = framesOf("ModelUpdateEvent").find(({ msg_id }) => msg_id === confirm_message_id);
  expect(dialect().hear(update?.frame ?? "").reply).toBe(confirm);
});

test("a probe is the agreed frame, but for its number", () => {
  const ping = JSON.parse(framesOf("PingEvent")[0]?.frame ?? "");
  const probe = JSON.parse(dialect().probe());
  expect(probe).toEqual({ ...ping, data: { ping_id: expect.any(Number) } });
});

test("the answer to a probe means nothing more", () => {
  for (const { frame } of framesOf("PingInEvent")) {
    expect(dialect().hear(frame)).toEqual({});
  }
});

test("what only monitors are told means nothing, and is not confirmed", () => {
  const messages = [...framesOf("DebugMessage"), ...framesOf("DebugMessagesLost")];
  expect(messages.length).toBeGreaterThan(0);
  for (const { msg_id, frame } of messages) {
    expect(JSON.parse(frame).msg_id).toBe(msg_id);
    expect(dialect().hear(frame)).toEqual({});
  }
});
