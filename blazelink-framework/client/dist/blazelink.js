/*! @blazelink/client 0.1.0, MIT OR Apache-2.0 */

// src/backoff.ts
var LONGEST_MS = 3e4;
var FIRST_MS = 500;
function backoff(failures, random) {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(longest * (0.5 + random / 2));
}

// src/connectionState.ts
var OPEN_WITHIN_MS = 15e3;
var PROBE_AFTER_MS = 25e3;
var ANSWER_WITHIN_MS = 1e4;
var STABLE_AFTER_MS = 5e3;
var FOLLOW_AFTER_MS = 200;
function initialState(now) {
  return { name: "connecting", since: now, failures: 0, startedAt: now };
}
function nextState(state, event, now, random) {
  if (state.name === "closed") {
    return state;
  }
  switch (event) {
    case "closed":
      return { name: "closed", since: now };
    case "opened":
      return state.name === "connecting" ? { name: "live", since: now, failures: state.failures, heardAt: now, probedAt: void 0 } : state;
    case "heard":
      return state.name === "live" ? { ...state, heardAt: now, probedAt: void 0 } : state;
    case "lost":
      return lost(state, now, random);
    case "left":
      return left(state, now, random);
    case "woken":
      return woken(state, now);
    case "due":
      return now < (deadline(state) ?? Infinity) ? state : overdue(state, now, random);
  }
}
function deadline(state) {
  switch (state.name) {
    case "connecting":
      return state.startedAt + OPEN_WITHIN_MS;
    case "live":
      return state.probedAt === void 0 ? state.heardAt + PROBE_AFTER_MS : state.probedAt + ANSWER_WITHIN_MS;
    case "waiting":
      return state.until;
    case "closed":
      return void 0;
  }
}
function lost(state, now, random) {
  if (state.name === "waiting") {
    return state;
  }
  const stable = state.name === "live" && now - state.since >= STABLE_AFTER_MS;
  const failures = stable ? 1 : state.failures + 1;
  const since = state.name === "live" ? now : state.following === true ? state.startedAt : state.since;
  return { name: "waiting", since, failures, until: now + backoff(failures, random) };
}
function left(state, now, random) {
  if (state.name !== "live" || now - state.since < FOLLOW_AFTER_MS) {
    return lost(state, now, random);
  }
  return { name: "connecting", since: state.since, failures: 0, startedAt: now, following: true };
}
function woken(state, now) {
  switch (state.name) {
    case "waiting":
      return { name: "connecting", since: state.since, failures: state.failures, startedAt: now };
    case "live":
      return state.probedAt === void 0 ? { ...state, probedAt: now } : state;
    case "connecting":
      return state;
  }
}
function overdue(state, now, random) {
  const unprobed = state.name === "live" && state.probedAt === void 0;
  return state.name === "waiting" || unprobed ? woken(state, now) : lost(state, now, random);
}

// src/status.ts
function statusOf(state) {
  switch (state.name) {
    case "connecting":
      if (state.following === true) {
        return { name: "live", since: state.since };
      }
      return { name: state.failures === 0 ? "connecting" : "offline", since: state.since };
    case "waiting":
      return { name: "offline", since: state.since };
    case "live":
    case "closed":
      return { name: state.name, since: state.since };
  }
}

// src/callback.ts
function runCallback(run, value) {
  try {
    run(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

// src/subscribable.ts
var Subscribable = class {
  #current;
  #listeners = /* @__PURE__ */ new Set();
  constructor(initial) {
    this.#current = initial;
  }
  /** The value now. */
  get current() {
    return this.#current;
  }
  /** Calls `run` now and after every change, until the function returned is called. */
  subscribe(run) {
    const listener = { run };
    this.#listeners.add(listener);
    runCallback(run, this.#current);
    return () => {
      this.#listeners.delete(listener);
    };
  }
  /** Changes the value and tells everyone. For the class that extends this one. */
  publish(value) {
    this.#current = value;
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) {
        runCallback(listener.run, value);
      }
    }
  }
};

// src/connection.ts
var GOING_AWAY = 1001;
var Connection = class extends Subscribable {
  #options;
  #state;
  #socket;
  #timer;
  #timerAt = Infinity;
  constructor(options) {
    const state = initialState(Date.now());
    super(statusOf(state));
    this.#options = options;
    this.#state = state;
    this.#openSocket();
    this.#arm();
  }
  /** There may be a network again, or a person who looks: do not wait any longer. */
  wake() {
    this.#dispatch("woken");
  }
  /** Ends the connection for good. */
  close() {
    this.#dispatch("closed");
  }
  #dispatch(event) {
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
  #carryOut(before, after) {
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
      if (after.probedAt !== void 0 && (before.name !== "live" || before.probedAt === void 0)) {
        this.#send(this.#options.probe());
      }
    }
  }
  #openSocket() {
    let socket;
    try {
      socket = this.#options.open();
    } catch {
      queueMicrotask(() => this.#dispatch("lost"));
      return;
    }
    this.#socket = socket;
    const whileCurrent = (run) => () => {
      if (this.#socket === socket) {
        run();
      }
    };
    socket.onopen = whileCurrent(() => this.#dispatch("opened"));
    socket.onmessage = (message) => {
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
  #receive(frame) {
    if (typeof frame === "string") {
      const reply = this.#options.onFrame(frame);
      if (reply !== void 0) {
        this.#send(reply);
      }
    }
    this.#dispatch("heard");
  }
  #send(frame) {
    if (this.#socket?.readyState === 1) {
      this.#socket.send(frame);
    }
  }
  #dropSocket() {
    const socket = this.#socket;
    this.#socket = void 0;
    socket?.close();
  }
  /** A timer that is early does no harm, so a later deadline leaves the running one alone. */
  #arm() {
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
        Math.max(0, at - Date.now())
      );
    }
  }
};

// src/liveRead.ts
var ANSWER_WITHIN_MS2 = 3e4;
var LiveRead = class {
  #options;
  #interest;
  #asking;
  #again = false;
  #failures = 0;
  #retry;
  #stopped = false;
  #last;
  #lastText = "";
  constructor(options) {
    this.#options = options;
    this.#interest = options.dialect.interest(options.document, options.variables);
    this.#ask();
  }
  /** The server says that something changed. */
  notice(notice) {
    if (this.#interest.hears(notice)) {
      this.#refresh();
    }
  }
  /** Notices may have been missed: what was asked before this moment counts no more. */
  restart() {
    this.#asking?.abort();
    this.#asking = void 0;
    this.#ask();
  }
  /** Ends the read. Nothing is called any more, not even for an answer under way. */
  stop() {
    this.#stopped = true;
    this.#asking?.abort();
    this.#asking = void 0;
    this.#cancelRetry();
  }
  #refresh() {
    if (this.#asking !== void 0) {
      this.#again = true;
    } else if (this.#retry === void 0) {
      this.#ask();
    }
  }
  #ask() {
    if (this.#stopped) {
      return;
    }
    this.#cancelRetry();
    this.#again = false;
    const asking = new AbortController();
    this.#asking = asking;
    const timer = setTimeout(() => {
      this.#settle(asking, () => this.#fail(new Error("The server did not answer in time")));
      asking.abort();
    }, ANSWER_WITHIN_MS2);
    const { dialect, document: document2, variables } = this.#options;
    dialect.ask(document2, variables, asking.signal).then(
      (answer) => this.#settle(asking, () => this.#accept(answer)),
      (error) => this.#settle(asking, () => this.#fail(asError(error)))
    ).finally(() => clearTimeout(timer));
  }
  /** Ends the question `asking`, unless a newer one has taken its place. */
  #settle(asking, end) {
    if (this.#asking !== asking) {
      return;
    }
    this.#asking = void 0;
    end();
  }
  #accept(answer) {
    this.#failures = 0;
    if (this.#again) {
      this.#ask();
    }
    const text = JSON.stringify(answer);
    if (text === this.#lastText && this.#last?.state === "live") {
      return;
    }
    this.#lastText = text;
    const at = Date.now();
    if (answer.data === null || answer.data === void 0) {
      const message = answer.errors[0]?.message ?? "The server answered without data";
      this.#publish(this.#failed(new Error(message), answer.errors, at));
    } else {
      this.#publish({ state: "live", data: answer.data, errors: answer.errors, at });
    }
  }
  #fail(error) {
    this.#failures += 1;
    this.#retry = setTimeout(
      () => this.#ask(),
      backoff(this.#failures, this.#options.random())
    );
    if (this.#failures === 1) {
      this.#publish(this.#failed(error, [], Date.now()));
    }
  }
  #cancelRetry() {
    clearTimeout(this.#retry);
    this.#retry = void 0;
  }
  #failed(error, errors, now) {
    const { data, at } = this.#last ?? {};
    return { state: "error", data, errors, error, at: data === void 0 ? now : at ?? now };
  }
  #publish(snapshot) {
    this.#last = snapshot;
    if (!this.#stopped) {
      runCallback(this.#options.onSnapshot, snapshot);
    }
  }
};
function asError(error) {
  return error instanceof Error ? error : new Error(String(error));
}

// src/document.ts
var VariableReference = class {
  name;
  constructor(name) {
    this.name = name;
  }
};
function parseQuery(document2) {
  try {
    return new Parser(tokens(document2)).query();
  } catch (error) {
    if (error instanceof NotUnderstood) {
      return void 0;
    }
    throw error;
  }
}
var NotUnderstood = class extends Error {
};
var END = { kind: "end", text: "" };
var TOKEN = /(?:[\s,\uFEFF]|#[^\n\r]*)*(?:([A-Za-z_]\w*)|(-?\d[\d.eE+-]*)|("""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n\r])*")|(\.\.\.|[!$&()=:@[\]{|}]))/y;
var IGNORED = /(?:[\s,\uFEFF]|#[^\n\r]*)*/y;
function tokens(document2) {
  const found = [];
  let at = 0;
  for (; ; ) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(document2);
    if (match === null) {
      IGNORED.lastIndex = at;
      IGNORED.exec(document2);
      if (IGNORED.lastIndex < document2.length) {
        throw new NotUnderstood();
      }
      return found;
    }
    at = TOKEN.lastIndex;
    found.push(token(match));
  }
}
function token([, name, number, string, punctuator = ""]) {
  if (name !== void 0) {
    return { kind: "name", text: name };
  }
  if (number !== void 0) {
    return { kind: "number", text: number };
  }
  if (string !== void 0) {
    return { kind: "string", text: string };
  }
  return { kind: "punctuator", text: punctuator };
}
var Parser = class {
  #tokens;
  #at = 0;
  constructor(found) {
    this.#tokens = found;
  }
  query() {
    let query;
    while (this.#peek().kind !== "end") {
      if (this.#peek().text === "fragment") {
        this.#fragment();
      } else if (query === void 0) {
        query = this.#operation();
      } else {
        throw new NotUnderstood();
      }
    }
    if (query === void 0) {
      throw new NotUnderstood();
    }
    return query;
  }
  #operation() {
    let defaults = {};
    if (this.#peek().kind === "name") {
      this.#expect("query");
      if (this.#peek().kind === "name") {
        this.#next();
      }
      if (this.#peek().text === "(") {
        defaults = this.#variables();
      }
      this.#directives();
    }
    this.#expect("{");
    const roots = [];
    while (!this.#take("}")) {
      roots.push(this.#field());
    }
    return { roots, defaults };
  }
  /** A fragment at the root is not understood: `...` is no name. */
  #field() {
    let name = this.#name();
    if (this.#take(":")) {
      name = this.#name();
    }
    const found = this.#peek().text === "(" ? this.#arguments() : {};
    this.#directives();
    if (this.#peek().text === "{") {
      this.#skip("{", "}");
    }
    return { name, arguments: found };
  }
  #arguments() {
    this.#expect("(");
    return this.#fields(")");
  }
  #fields(end) {
    const found = [];
    while (!this.#take(end)) {
      const name = this.#name();
      this.#expect(":");
      found.push([name, this.#value()]);
    }
    return Object.fromEntries(found);
  }
  #value() {
    const { kind, text } = this.#next();
    switch (kind) {
      case "name":
        return text === "null" ? null : text === "true" ? true : text === "false" ? false : text;
      case "number":
        return Number.isSafeInteger(Number(text)) ? Number(text) : text;
      case "string":
        return unquoted(text);
      default:
        return this.#compound(text);
    }
  }
  #compound(opening) {
    switch (opening) {
      case "$":
        return new VariableReference(this.#name());
      case "[": {
        const items = [];
        while (!this.#take("]")) {
          items.push(this.#value());
        }
        return items;
      }
      case "{":
        return this.#fields("}");
      default:
        throw new NotUnderstood();
    }
  }
  #variables() {
    const defaults = [];
    this.#expect("(");
    while (!this.#take(")")) {
      this.#expect("$");
      const name = this.#name();
      this.#expect(":");
      this.#type();
      if (this.#take("=")) {
        defaults.push([name, this.#value()]);
      }
      this.#directives();
    }
    return Object.fromEntries(defaults);
  }
  #type() {
    if (this.#take("[")) {
      this.#type();
      this.#expect("]");
    } else {
      this.#name();
    }
    this.#take("!");
  }
  #directives() {
    while (this.#take("@")) {
      this.#name();
      if (this.#peek().text === "(") {
        this.#skip("(", ")");
      }
    }
  }
  #fragment() {
    this.#expect("fragment");
    this.#name();
    this.#expect("on");
    this.#name();
    this.#directives();
    this.#skip("{", "}");
  }
  #skip(opening, closing) {
    this.#expect(opening);
    for (let depth = 1; depth > 0; ) {
      const { kind, text } = this.#next();
      if (kind === "punctuator") {
        depth += text === opening ? 1 : text === closing ? -1 : 0;
      }
    }
  }
  #name() {
    const { kind, text } = this.#next();
    if (kind !== "name") {
      throw new NotUnderstood();
    }
    return text;
  }
  #expect(text) {
    if (this.#next().text !== text) {
      throw new NotUnderstood();
    }
  }
  #take(text) {
    const found = this.#peek();
    if (found.kind !== "punctuator" || found.text !== text) {
      return false;
    }
    this.#at += 1;
    return true;
  }
  #peek() {
    return this.#tokens[this.#at] ?? END;
  }
  #next() {
    const found = this.#peek();
    if (found.kind === "end") {
      throw new NotUnderstood();
    }
    this.#at += 1;
    return found;
  }
};
function unquoted(quoted) {
  if (quoted.startsWith('"""')) {
    return quoted.slice(3, -3).replaceAll('\\"""', '"""').trim();
  }
  try {
    return JSON.parse(quoted);
  } catch {
    throw new NotUnderstood();
  }
}

// src/originalInterest.ts
var OriginalInterest = class {
  #objects;
  #pages;
  #knownPages;
  /** `knownPages` grows while it is in use: see {@link pageNames}. */
  constructor(query, variables, knownPages) {
    const objects = [];
    const pages = [];
    const given = { ...query.defaults, ...variables };
    for (const root of query.roots) {
      if (root.name.startsWith("__")) {
        continue;
      }
      const identifier = resolve(root.arguments["identifier"], given);
      if (identifier === void 0 || identifier === null) {
        pages.push(normalName(root.name));
      } else {
        collectObjects(identifier, root.name, objects);
      }
    }
    this.#objects = objects;
    this.#pages = pages;
    this.#knownPages = knownPages;
  }
  hears(notice) {
    const entity = normalName(notice.entity);
    const named = this.#objects.some(
      (object) => (object.entity === entity || object.entity === void 0) && (object.key === null || notice.key === null || object.key === notice.key)
    );
    const own = [entity, ...pageNames(notice.entity)];
    return named || this.#pages.some((page) => own.includes(page) || !this.#knownPages.has(page));
  }
};
function pageNames(entity) {
  const name = normalName(entity);
  return [`${name}s`, `${name}page`];
}
function keyText(key) {
  if (key === void 0 || key === null) {
    return null;
  }
  return Array.isArray(key) ? JSON.stringify(key.map(String)) : String(key);
}
function normalName(name) {
  return name.replaceAll("_", "").toLowerCase();
}
function collectObjects(identifier, root, into) {
  if (Array.isArray(identifier)) {
    for (const item of identifier) {
      collectObjects(item, root, into);
    }
    return;
  }
  if (typeof identifier !== "object" || identifier === null) {
    return;
  }
  const { entity, obj_id: key, dependencies } = identifier;
  const name = root ?? (typeof entity === "string" ? entity : void 0);
  into.push({ entity: name === void 0 ? void 0 : normalName(name), key: keyText(key) });
  collectObjects(dependencies, void 0, into);
}
function resolve(literal, given) {
  if (literal instanceof VariableReference) {
    const value = given[literal.name];
    return value instanceof VariableReference ? void 0 : value;
  }
  if (Array.isArray(literal)) {
    return literal.map((item) => resolve(item, given));
  }
  if (typeof literal === "object" && literal !== null) {
    return Object.fromEntries(
      Object.entries(literal).map(([name, value]) => [name, resolve(value, given)])
    );
  }
  return literal;
}

// src/sessionId.ts
function newSessionId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// src/originalDialect.ts
var REPLACED = 4409;
var OriginalDialect = class {
  #options;
  #knownPages = /* @__PURE__ */ new Set();
  #session = newSessionId();
  constructor(options) {
    this.#options = options;
  }
  socketUrl() {
    const url = new URL("ws/connect", this.#options.url);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("session_id", this.#session);
    return url.href;
  }
  async ask(document2, variables, signal) {
    const headers = {
      "content-type": "application/json",
      session_id: this.#session
    };
    const authorization = this.#options.authorization();
    if (authorization !== void 0) {
      headers["authorization"] = authorization;
    }
    const response = await this.#options.fetch(new URL("graphql/", this.#options.url).href, {
      method: "POST",
      headers,
      body: JSON.stringify({ query: document2, variables }),
      signal
    });
    const text = await response.text();
    const answer = readAnswer(text);
    if (answer === void 0) {
      throw new Error(`The server answered with status ${response.status} and no GraphQL`);
    }
    return answer;
  }
  interest(document2, variables) {
    const query = parseQuery(document2);
    return query === void 0 ? { hears: () => true } : new OriginalInterest(query, variables, this.#knownPages);
  }
  hear(frame) {
    const message = readObject(frame);
    if (message?.["type"] !== "ModelUpdateEvent") {
      return {};
    }
    const reply = JSON.stringify({
      type: "ConfirmEvent",
      data: { confirm_message_id: message["msg_id"], payload: {} }
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
  probe() {
    return JSON.stringify({ type: "PingEvent", data: { ping_id: 1 } });
  }
  closed(code) {
    if (code === REPLACED) {
      this.#session = newSessionId();
    }
  }
};
function readAnswer(text) {
  const body = readObject(text);
  if (body === void 0 || !("data" in body || "errors" in body)) {
    return void 0;
  }
  const errors = Array.isArray(body["errors"]) ? body["errors"] : [];
  return { data: body["data"] ?? null, errors };
}
function readObject(text) {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return void 0;
  }
}
function asObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : void 0;
}

// src/wakeups.ts
function onWakeup(run) {
  if (typeof document === "undefined" || typeof window === "undefined") {
    return () => {
    };
  }
  const whenVisible = () => {
    if (document.visibilityState === "visible") {
      run();
    }
  };
  const whenRestored = (event) => {
    if (event.persisted) {
      run();
    }
  };
  document.addEventListener("visibilitychange", whenVisible);
  window.addEventListener("online", run);
  window.addEventListener("pageshow", whenRestored);
  return () => {
    document.removeEventListener("visibilitychange", whenVisible);
    window.removeEventListener("online", run);
    window.removeEventListener("pageshow", whenRestored);
  };
}

// src/client.ts
function createClient(options = {}) {
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  const Socket = options.WebSocket ?? globalThis.WebSocket;
  const dialect = new OriginalDialect({
    url: options.url ?? globalThis.location.origin,
    authorization: options.authorization ?? (() => void 0),
    fetch
  });
  return new Client(dialect, (url) => new Socket(url), options.random ?? Math.random);
}
var Client = class {
  #dialect;
  #random;
  #connection;
  #reads = /* @__PURE__ */ new Set();
  #endWakeups;
  /** @internal */
  constructor(dialect, openSocket, random) {
    this.#dialect = dialect;
    this.#random = random;
    this.#connection = new Connection({
      open: () => openSocket(dialect.socketUrl()),
      onFrame: (frame) => this.#hear(frame),
      onResume: () => this.#askAgain(),
      onClose: (code) => dialect.closed(code),
      probe: () => dialect.probe(),
      random
    });
    this.#endWakeups = onWakeup(() => this.#connection.wake());
  }
  /** Whether what the page shows is being kept up to date. */
  get status() {
    return this.#connection;
  }
  /**
   * Answers a GraphQL query now and again whenever its answer changes.
   *
   * `onSnapshot` gets the first answer, then each one that differs, in order. Commits that follow
   * each other closely may share an answer. While {@link Client.status} is not `live` the last answer
   * may be out of date; when the connection is back, everything is asked again.
   */
  live(document2, variables, onSnapshot) {
    if (this.status.current.name === "closed") {
      throw new Error("This client is closed; make another with createClient()");
    }
    const read = new LiveRead({
      dialect: this.#dialect,
      document: document2,
      variables,
      onSnapshot,
      random: this.#random
    });
    this.#reads.add(read);
    return {
      stop: () => {
        read.stop();
        this.#reads.delete(read);
      }
    };
  }
  /** Ends all reads and the connection. */
  close() {
    this.#endWakeups();
    for (const read of this.#reads) {
      read.stop();
    }
    this.#reads.clear();
    this.#connection.close();
  }
  #hear(frame) {
    const { notice, reply } = this.#dialect.hear(frame);
    if (notice !== void 0) {
      for (const read of this.#reads) {
        read.notice(notice);
      }
    }
    return reply;
  }
  #askAgain() {
    for (const read of this.#reads) {
      read.restart();
    }
  }
};
export {
  Client,
  Subscribable,
  createClient
};
