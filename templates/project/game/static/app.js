// The page: who plays, and what happened last. Yours to edit. It asks for what it shows and is told
// when that changes: it never polls, and does not care who wrote, its own buttons or psql.
import { createClient } from "/blazelink/client.js";

const TEAMS = "{ teams { items { row { name color users { items { row { id name kills } } } } } } }";

const KILLS = `{
  games(orderBy: [{ id: DESC }], size: 1) { items { row { id } } }
  gameEvents(where: { kind: { eq: "kill" } }, orderBy: [{ id: DESC }], size: 8) {
    items { row { created_at player { row { name } } victim { row { name } } } }
  }
}`;

const KILL = `mutation ($game: Int!, $player: Int!, $victim: Int!) {
  createGameEvent(input: { game_id: $game, player_id: $player, victim_id: $victim }) { obj_id }
}`;

let game = 0;
const blaze = createClient();

blaze.status.subscribe(({ name }) => {
  byId("status").textContent = name;
});

watch(TEAMS, ({ teams }) => {
  const rows = teams.items.map(({ row }) => row);
  const focus = document.activeElement?.id;
  byId("teams").replaceChildren(...rows.map((team) => section(team, rows.filter((it) => it !== team))));
  byId(focus || "none")?.focus();
});

watch(KILLS, ({ games, gameEvents }) => {
  game = games.items[0]?.row.id ?? 0;
  byId("feed").replaceChildren(
    ...gameEvents.items.map(({ row: { player, victim, created_at } }) =>
      make("li", `${player.row.name} shot ${victim?.row.name ?? "somebody"}`, make("time", clock(created_at))),
    ),
  );
});

// Shows each answer, now and whenever it changes.
function watch(query, show) {
  blaze.live(query, {}, (snapshot) => {
    const problem = snapshot.state === "error" ? snapshot.error : snapshot.errors[0];
    byId("problem").textContent = problem?.message ?? "";
    if (snapshot.state === "live" && problem === undefined) {
      show(snapshot.data);
    }
  });
}

function section(team, others) {
  const victims = others.flatMap(({ users }) => users.items.map(({ row }) => row.id));
  const players = team.users.items.map(({ row: { id, name, kills } }) => {
    const button = make("button", "kill");
    button.id = `kill-${id}`;
    button.ariaLabel = `${name} kills somebody`;
    button.onclick = () => record(id, victims[Math.floor(Math.random() * victims.length)]);
    return make("li", name, make("output", String(kills)), button);
  });
  const element = make("section", "", make("h2", team.name), make("ul", "", ...players));
  element.style.setProperty("--team", team.color);
  return element;
}

// Records a kill. This page learns of it as every other does.
async function record(player, victim) {
  const response = await fetch("/graphql/", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: KILL, variables: { game, player, victim } }),
  }).catch(() => undefined);
  const answer = (await response?.json()) ?? { errors: [{ message: "The server is not there" }] };
  byId("problem").textContent = answer.errors?.[0].message ?? "";
}

// A point in time as Postgres prints it, of which not every browser makes a date.
function clock(text) {
  return new Date(text.replace(" ", "T").replace(/[+-]\d\d$/, "$&:00")).toLocaleTimeString();
}

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  element.append(text, ...children);
  return element;
}

function byId(id) {
  return document.getElementById(id);
}
