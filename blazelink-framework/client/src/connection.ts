import {
  type ConnectionEvent,
  type ConnectionState,
  deadline,
  initialState,
  nextState,
} from "./connectionState.ts";
import { type Status, statusOf } from "./status.ts";
import { Subscribable } from "./subscribable.ts";

/** The close code of a server that stops or gives way to another one. */
const GOING_AWAY = 1001;

/** What a connection needs from its owner. */
export interface ConnectionOptions {
  /** Opens a socket. Called for each attempt. */
  readonly open: () => WebSocket;
  /** Called for each frame of text. What it returns is sent back before the next frame is read. */
  readonly onFrame: (frame: string) => string | undefined;
  /** Called when a socket has opened after one was lost or could not be opened. */
  readonly onResume: () => void;
  /** Called when the server has closed the socket, with its code. */
  readonly onClose: (code: number) => void;
  /** The frame that asks the server whether it is there. */
  readonly probe: () => string;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/**
 * One socket at a time, opened again for as long as it takes.
 *
 * Carries out what `connectionState` decides. Its value is the status that pages see.
 */
export class Connection extends Subscribable<Status> {
  readonly #options: ConnectionOptions;
  #state: ConnectionState;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  constructor(options: ConnectionOptions) {
    const state = initialState(Date.now());
    super(statusOf(state));
    this.#options = options;
    this.#state = state;
    this.#openSocket();
    this.#arm();
  }

  /** There may be a network again, or a person who looks: do not wait any longer. */
  wake(): void {
    this.#dispatch("woken");
  }

  /** Ends the connection for good. */
  close(): void {
    this.#dispatch("closed");
  }

  #dispatch(event: ConnectionEvent): void {
    const before = this.#state;
    const after = nextState(before, event, Date.now(), this.#options.random());
    this.#state = after;
    this.#carryOut(before, after);
    this.#arm();
    const status = statusOf(after);
    if (status.name !== this.current.name || status.since !== this.current.since) {
      this.publish(status);
    }
  }

  #carryOut(before: ConnectionState, after: ConnectionState): void {
    if (after.name !== "live" && after.name !== "connecting") {
      this.#dropSocket();
    }
    if (after.name === "connecting" && before.name !== "connecting") {
      this.#openSocket();
    }
    if (after.name === "live") {
      if (before.name === "connecting" && (before.failures > 0 || before.following === true)) {
        this.#options.onResume();
      }
      if (after.probedAt !== undefined && (before.name !== "live" || before.probedAt === undefined)) {
        this.#send(this.#options.probe());
      }
    }
  }

  #openSocket(): void {
    let socket: WebSocket;
    try {
      socket = this.#options.open();
    } catch {
      // The browser refused to try, for instance because a policy of the page forbids it.
      queueMicrotask(() => this.#dispatch("lost"));
      return;
    }
    this.#socket = socket;
    const whileCurrent = (run: () => void) => () => {
      if (this.#socket === socket) {
        run();
      }
    };
    socket.onopen = whileCurrent(() => this.#dispatch("opened"));
    socket.onmessage = (message: MessageEvent<unknown>) => {
      if (this.#socket === socket) {
        this.#receive(message.data);
      }
    };
    socket.onclose = (close) => {
      if (this.#socket === socket) {
        this.#options.onClose(close.code);
        this.#dispatch(close.code === GOING_AWAY ? "left" : "lost");
      }
    };
  }

  #receive(frame: unknown): void {
    if (typeof frame === "string") {
      const reply = this.#options.onFrame(frame);
      if (reply !== undefined) {
        this.#send(reply);
      }
    }
    this.#dispatch("heard");
  }

  #send(frame: string): void {
    if (this.#socket?.readyState === 1) {
      this.#socket.send(frame);
    }
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  /** A timer that is early does no harm, so a later deadline leaves the running one alone. */
  #arm(): void {
    const at = deadline(this.#state) ?? Infinity;
    if (at === Infinity || at < this.#timerAt) {
      clearTimeout(this.#timer);
      this.#timerAt = Infinity;
    }
    if (at < this.#timerAt) {
      this.#timerAt = at;
      this.#timer = setTimeout(
        () => {
          this.#timerAt = Infinity;
          this.#dispatch("due");
        },
        Math.max(0, at - Date.now()),
      );
    }
  }
}
