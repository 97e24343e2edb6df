import type { Answer, Dialect, Heard, Interest } from "./dialect.ts";
import { parseQuery } from "./document.ts";
import type { GraphQLError, Variables } from "./graphql.ts";
import { keyText, OriginalInterest, pageNames } from "./originalInterest.ts";
import { newSessionId } from "./sessionId.ts";

/** The close code that says that another socket has taken over this session. */
const REPLACED = 4409;

/** What the original dialect needs from its owner. */
export interface OriginalDialectOptions {
  /** The server's base address, such as `http://localhost:8000/`. */
  readonly url: string;
  /** The value of the `Authorization` header, if there is to be one. */
  readonly authorization: () => string | undefined;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * The dialect of the original Blazelink server.
 *
 * Questions are `POST /graphql/` with the header `session_id`; answering one subscribes that session
 * to what the question named. The socket `/ws/connect?session_id=` carries `ModelUpdateEvent`s, each
 * of which is confirmed at once: that it was understood is all a confirmation says here.
 */
export class OriginalDialect implements Dialect {
  readonly #options: OriginalDialectOptions;
  readonly #knownPages = new Set<string>();
  #session = newSessionId();

  constructor(options: OriginalDialectOptions) {
    this.#options = options;
  }

  socketUrl(): string {
    const url = new URL("ws/connect", this.#options.url);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("session_id", this.#session);
    return url.href;
  }

  async ask(document: string, variables: Variables, signal: AbortSignal): Promise<Answer> {
    const headers: Record<string, string> = {
      "content-type": "application/json",
      session_id: this.#session,
    };
    const authorization = this.#options.authorization();
    if (authorization !== undefined) {
      headers["authorization"] = authorization;
    }
    const response = await this.#options.fetch(new URL("graphql/", this.#options.url).href, {
      method: "POST",
      headers,
      body: JSON.stringify({ query: document, variables }),
      signal,
    });
    const text = await response.text();
    const answer = readAnswer(text);
    if (answer === undefined) {
      throw new Error(`The server answered with status ${response.status} and no GraphQL`);
    }
    return answer;
  }

  interest(document: string, variables: Variables): Interest {
    const query = parseQuery(document);
    return query === undefined
      ? { hears: () => true }
      : new OriginalInterest(query, variables, this.#knownPages);
  }

  hear(frame: string): Heard {
    const message = readObject(frame);
    if (message?.["type"] !== "ModelUpdateEvent") {
      return {};
    }
    const reply = JSON.stringify({
      type: "ConfirmEvent",
      data: { confirm_message_id: message["msg_id"], payload: {} },
    });
    const identifier = asObject(asObject(message["data"])?.["identifier"]);
    const entity = identifier?.["entity"];
    if (typeof entity !== "string") {
      return { reply };
    }
    for (const name of pageNames(entity)) {
      this.#knownPages.add(name);
    }
    return { reply, notice: { entity, key: keyText(identifier?.["obj_id"]) } };
  }

  probe(): string {
    return JSON.stringify({ type: "PingEvent", data: { ping_id: 1 } });
  }

  closed(code: number): void {
    if (code === REPLACED) {
      // The id is in use elsewhere. Taking it back would only throw the other one out.
      this.#session = newSessionId();
    }
  }
}

function readAnswer(text: string): Answer | undefined {
  const body = readObject(text);
  if (body === undefined || !("data" in body || "errors" in body)) {
    return undefined;
  }
  const errors = Array.isArray(body["errors"]) ? (body["errors"] as GraphQLError[]) : [];
  return { data: body["data"] ?? null, errors };
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
