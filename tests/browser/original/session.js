// @ts-check
/** What was done with the original's client when its sessions were recorded, step by step. */

/**
 * The session of 19 checks.
 *
 * @param {import("./stage.js").Stage} stage
 * @param {string[]} statements the four commits of the recording
 * @param {(sql: string) => Promise<unknown>} run
 */
export async function playSession(stage, statements, run) {
  const { client } = stage;
  /** @type {[string, boolean][]} */
  const checks = [];
  const check = (/** @type {string} */ sentence, /** @type {boolean} */ ok) => {
    checks.push([sentence, ok]);
  };
  const [first = "", other = "", rename = "", remove = ""] = statements;

  await stage.opened();
  check("websocket open", stage.isOpen);

  const user = client.find("User", 1);
  check("Find() makes no request", stage.requests.length === 0);
  const { events } = user;
  await stage.answered();
  check("first property access makes one request", stage.requests.length === 1);
  check("alias field", user.nick === "ann");
  check("page: length <= 5, count", events.length === 5 && events.count === 12);

  const event = events.at(0);
  void event.type;
  await stage.answered();
  check("page items are lazily loaded models", event.type === "death");
  check("foreign key resolves to the cached User (same cache key)", event.player === user);
  void event.game.name;
  await stage.answered();
  check("foreign key to Game lazily loaded", event.game.name === "g2");

  const stats = client.createView("PlayerStats", [user]);
  void stats.kills;
  await stage.answered();
  check("virtual table via createView", stats.kills === 4);
  const queryable = client.createView("Queryable", []);
  void queryable.answer;
  await stage.answered();
  check("nested struct", queryable.answer.b.a === 1 && queryable.answer.c === 2);

  events.setPage(1);
  await stage.answered();
  check("setPage re-queries with page: 1", events.at(0).objectId.obj_id === 6);
  events.setPage(0);
  await stage.answered();

  /** What a commit caused: frames, and the getters that were asked again. */
  const caused = async (/** @type {string} */ sql) => {
    const since = stage.log.length;
    await stage.commit(run, sql);
    const news = stage.log.slice(since);
    const bodies = news.flatMap(({ request }) => (request === undefined ? [] : [request.body]));
    const frames = news.filter(({ dir }) => dir === "server->client");
    return {
      told: frames.length > 0,
      refetched: (/** @type {string} */ getter) => bodies.some((body) => body.includes(`${getter}(`)),
    };
  };
  const inserted = await caused(first);
  check("insert: websocket message arrives", inserted.told);
  check("insert: confirmed", everythingIsConfirmed(stage));
  check("insert: PlayerStats refetched, kills + 1", inserted.refetched("playerStats") && stats.kills === 5);
  check("insert: User refetched (where id = player_id), count + 1", inserted.refetched("user") && events.count === 13);

  const elsewhere = await caused(other);
  check(
    "insert for another player: User not refetched, PlayerStats is",
    !elsewhere.refetched("user") && elsewhere.refetched("playerStats"),
  );
  const renamed = await caused(rename);
  check("update of the own row: refetch", renamed.refetched("user") && user.nick === "renamed");
  const deleted = await caused(remove);
  check(
    "delete: message arrives, PlayerStats refetched",
    deleted.told && deleted.refetched("playerStats") && stats.kills === 4,
  );
  check("every message was confirmed", everythingIsConfirmed(stage));
  return { checks, watchers: client.watchers() };
}

/** @param {import("./stage.js").Stage} stage */
function everythingIsConfirmed(stage) {
  const sent = stage.log.filter(({ dir }) => dir === "client->server");
  const confirmed = sent.map(({ text = "" }) => JSON.parse(text).data.confirm_message_id);
  return stage.frames.every(({ msg_id }) => confirmed.includes(msg_id));
}
