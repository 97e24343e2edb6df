import { type Client, createClient } from "../src/index.ts";

/** A question that a client has asked and that the test answers. */
export interface Question {
  readonly session: string | undefined;
  readonly authorization: string | undefined;
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly aborted: boolean;
  /** Answers with status 200 and this body, and waits until the client has read it. */
  answer(body: unknown): Promise<void>;
  /** Answers with another status and text. */
  refuse(status: number, text: string): Promise<void>;
  /** Breaks the connection. */
  drop(): Promise<void>;
}

/** The server's end of a websocket. */
export class FakeSocket {
  readonly url: string;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  /** What the client has sent. */
  readonly received: unknown[] = [];

  constructor(url: string) {
    this.url = url;
  }

  /** The session that the client named. */
  get session(): string | null {
    return new URL(this.url).searchParams.get("session_id");
  }

  accept(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  push(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  pushBinary(): void {
    this.onmessage?.({ data: new Blob() });
  }

  /** Closes from the server's side, or fails. */
  fail(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  /** For the client. */
  send(frame: string): void {
    this.received.push(JSON.parse(frame));
  }

  /** For the client. */
  close(): void {
    this.readyState = 3;
  }
}

/** A server in the hands of a test: it answers nothing by itself. */
export class FakeServer {
  readonly questions: Question[] = [];
  readonly sockets: FakeSocket[] = [];

  /** A client of this server. Jitter is always in the middle of its range. */
  client(options: { authorization?: () => string; url?: string } = {}): Client {
    const { questions, sockets } = this;
    return createClient({
      url: "http://server.test:8000",
      ...options,
      fetch: (url, init) => ask(String(url), init ?? {}, questions),
      WebSocket: class {
        constructor(url: string) {
          const socket = new FakeSocket(url);
          sockets.push(socket);
          return socket as unknown as WebSocket;
        }
      } as unknown as new (url: string) => WebSocket,
      random: () => 0.5,
    });
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    return last(this.sockets);
  }

  /** The newest question. */
  get question(): Question {
    return last(this.questions);
  }
}

/** A `ModelUpdateEvent` as the server sends it. */
export function update(entity: string, key: unknown, id = 1): unknown {
  const identifier = { obj_id: key, entity };
  return {
    type: "ModelUpdateEvent",
    msg_id: id,
    data: { update_type: "Update", identifier, changes: {} },
  };
}

function ask(url: string, init: RequestInit, questions: Question[]): Promise<Response> {
  if (url !== "http://server.test:8000/graphql/" || init.method !== "POST") {
    return Promise.resolve(new Response("Not found", { status: 404 }));
  }
  const { promise, resolve, reject } = deferred<Response>();
  const headers = new Headers(init.headers);
  const body = JSON.parse(String(init.body)) as { query: string; variables: Record<string, unknown> };
  init.signal?.addEventListener("abort", () => reject(new DOMException("Aborted", "AbortError")));
  const respond = async (response: Response) => {
    resolve(response);
    await settled();
  };
  questions.push({
    ...body,
    session: headers.get("session_id") ?? undefined,
    authorization: headers.get("authorization") ?? undefined,
    get aborted() {
      return init.signal?.aborted ?? false;
    },
    answer: (answer) => respond(new Response(JSON.stringify(answer))),
    refuse: (status, text) => respond(new Response(text, { status })),
    drop: async () => {
      reject(new TypeError("Failed to fetch"));
      await settled();
    },
  });
  return promise;
}

/** Resolves when everything that an answer sets off has run: a macrotask follows all microtasks. */
async function settled(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(undefined);
  });
  port1.close();
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function last<T>(items: readonly T[]): T {
  const item = items.at(-1);
  if (item === undefined) {
    throw new Error("There is none yet");
  }
  return item;
}
