// @ts-check
/**
 * The shooter's page. It asks for what it shows and is told when that changes; it never polls, and
 * it does not care who wrote: its own button, a game server, or somebody with psql.
 *
 * `/` shows both teams and all kills. `/?player=3` asks for one player only, and so hears of nobody
 * else.
 */
import { createClient } from "/blazelink/client.js";
import { byId, hidden, keyed, make, named, paint, part, setNumber, setText } from "./elements.js";

/**
 * @typedef {import("/blazelink/client.js").Status} Status
 * @typedef {{ count: number }} Counted
 * @typedef {{ name: string, color: string }} Team
 * @typedef {{ id: number, name: string, team: { row: Team } }} Person
 * @typedef {{ id: number, kind: string, created_at: string, player: { row: Person }, victim: { row: Person } | null }} Event
 * @typedef {{ count: number, items: { row: Event }[] }} Events
 * @typedef {{ id: number, name: string, events: Counted, deaths: Counted }} Player
 * @typedef {{ id: number, name: string, color: string, users: { items: { row: Player }[] } }} TeamOfPlayers
 */

const PERSON = "id name team { row { name color } }";

const EVENT = `id kind created_at player { row { ${PERSON} } } victim { row { ${PERSON} } }`;

const TEAMS = `{
  teams(size: 10) { items { row {
    id name color
    users(size: 50) { items { row { id name events { count } deaths { count } } } }
  } } }
}`;

const EVENTS = `query ($page: Int, $next: Int, $size: Int) {
  first: gameEvents(page: $page, size: $size) { count items { row { ${EVENT} } } }
  second: gameEvents(page: $next, size: $size) { items { row { ${EVENT} } } }
}`;

const PLAYER = `query ($who: ObjectIdInput, $kills: Int, $moreKills: Int, $deaths: Int, $moreDeaths: Int, $size: Int) {
  user(identifier: $who) {
    ${PERSON}
    kills: events(page: $kills, size: $size) { count items { row { ${EVENT} } } }
    moreKills: events(page: $moreKills, size: $size) { items { row { ${EVENT} } } }
    deaths(page: $deaths, size: $size) { count items { row { ${EVENT} } } }
    moreDeaths: deaths(page: $moreDeaths, size: $size) { items { row { ${EVENT} } } }
  }
}`;

/** How many events are listed. Pages are read in pairs, so that there are always as many to show. */
const LISTED = 12;

const blaze = createClient();

/** The teams as they were last shown. @type {TeamOfPlayers[]} */
let teams = [];

blaze.status.subscribe(showStatus);
setInterval(() => showStatus(blaze.status.current), 1_000);

const wanted = Number(new URLSearchParams(location.search).get("player"));
if (Number.isSafeInteger(wanted) && wanted > 0) {
  watchPlayer(wanted);
} else {
  watchTeams();
  watchEvents();
  byId("shot").addEventListener("submit", shoot);
  byId("killer").addEventListener("change", offerVictims);
}

// What is watched

function watchTeams() {
  watch(TEAMS, {}, (/** @type {{ teams: { items: { row: TeamOfPlayers }[] } }} */ data) => {
    teams = data.teams.items.map(({ row }) => row);
    showTeams();
    offerPlayers();
    byId("match").hidden = false;
  });
}

/** The newest events stand on the last pages: when those move, others are asked for. */
function watchEvents(page = 0) {
  const variables = { page, next: page + 1, size: LISTED };
  const read = watch(EVENTS, variables, (/** @type {{ first: Events, second: Events }} */ data) => {
    const newest = lastPair(data.first.count);
    if (newest !== page) {
      read.stop();
      watchEvents(newest);
    } else {
      byId("total").textContent = String(data.first.count);
      showEvents(byId("feed"), [...data.first.items, ...data.second.items], sentence);
    }
  });
}

/** @param {number} id */
function watchPlayer(id, kills = 0, deaths = 0) {
  const variables = {
    who: { obj_id: id },
    kills,
    moreKills: kills + 1,
    deaths,
    moreDeaths: deaths + 1,
    size: LISTED,
  };
  const read = watch(
    PLAYER,
    variables,
    (/** @type {{ user: Person & Record<"kills" | "moreKills" | "deaths" | "moreDeaths", Events> }} */ { user }) => {
      const newest = [lastPair(user.kills.count), lastPair(user.deaths.count)];
      if (newest[0] !== kills || newest[1] !== deaths) {
        read.stop();
        watchPlayer(id, ...newest);
        return;
      }
      showPlayer(user, user.kills.count, user.deaths.count);
      const pages = [user.kills, user.moreKills, user.deaths, user.moreDeaths];
      showEvents(byId("history"), pages.flatMap((page) => page.items), sentence);
    },
    `There is no player ${id}`,
  );
}

/**
 * Shows each complete answer, and says so when there is none. What was shown stays.
 *
 * @template {Record<string, unknown>} T
 * @param {string} document
 * @param {Record<string, unknown>} variables
 * @param {(data: T) => void} show
 * @param {string} [missing] What to say when there is nothing of that kind.
 */
function watch(document, variables, show, missing) {
  return blaze.live(document, variables, (/** @type {import("/blazelink/client.js").Snapshot<T>} */ snapshot) => {
    if (snapshot.state === "error") {
      showProblem(blaze.status.current.name === "live" ? snapshot.error.message : "");
    } else if (Object.values(snapshot.data).includes(null)) {
      showProblem(missing ?? snapshot.errors[0]?.message ?? "There is nothing to show");
    } else {
      showProblem("");
      show(snapshot.data);
    }
  });
}

/**
 * The first of the two pages that together hold the newest events.
 *
 * @param {number} count
 */
function lastPair(count) {
  return Math.max(0, Math.ceil(count / LISTED) - 2);
}

// What is done

/** @param {SubmitEvent} submit */
async function shoot(submit) {
  submit.preventDefault();
  const button = byId("shot").querySelector("button");
  if (button === null || button.ariaDisabled === "true") {
    return;
  }
  button.ariaDisabled = "true";
  try {
    byId("outcome").textContent = await record(chosen("killer"), chosen("victim"));
  } finally {
    button.ariaDisabled = "false";
  }
}

/**
 * Records a kill. The page learns of it as every other page does, so there is nothing to show
 * unless it was refused; then the reason is returned.
 *
 * @param {number} killer
 * @param {number} victim
 */
async function record(killer, victim) {
  try {
    const response = await fetch("/api/kills", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ killer_id: killer, victim_id: victim }),
    });
    return response.ok ? "" : await reason(response);
  } catch {
    return "The server cannot be reached; nothing was recorded.";
  }
}

/** @param {Response} response */
async function reason(response) {
  try {
    return `${(await response.json()).message}.`;
  } catch {
    return `The server refused the kill (status ${response.status}).`;
  }
}

// What is shown

/** @param {Status} status */
function showStatus({ name, since }) {
  const seconds = Math.round((Date.now() - since) / 1_000);
  const age = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  const words = {
    connecting: "Connecting",
    live: "Live",
    offline: `Reconnecting, as of ${age} ago`,
    closed: "Closed",
  };
  byId("status").dataset["state"] = name;
  setText(byId("status"), words[name]);
}

/** @param {string} text */
function showProblem(text) {
  setText(byId("problem"), text);
  byId("problem").hidden = text === "";
}

function showTeams() {
  keyed(byId("teams"), teams, makeTeam, (element, team) => {
    paint(element, team.color);
    setText(part(element, "name"), team.name);
    const players = team.users.items.map(({ row }) => row);
    setNumber(part(element, "score"), players.reduce((sum, player) => sum + player.events.count, 0));
    const ranked = [...players].sort((a, b) => b.events.count - a.events.count || a.id - b.id);
    keyed(part(element, "players"), ranked, makePlayer, (row, player) => {
      const link = /** @type {HTMLAnchorElement} */ (part(row, "link"));
      link.href = `/?player=${player.id}`;
      setText(link, player.name);
      setNumber(part(row, "kills"), player.events.count);
      setNumber(part(row, "deaths"), player.deaths.count);
    });
  });
}

function makeTeam() {
  const columns = make("div", { className: "columns", ariaHidden: "true" }, [
    make("span", {}, ["Player"]),
    make("span", {}, ["Kills"]),
    make("span", {}, ["Deaths"]),
  ]);
  return make("article", { className: "team" }, [
    make("h2", {}, [named("span", "name"), named("span", "score", "score")]),
    columns,
    named("ol", "players", "players"),
  ]);
}

function makePlayer() {
  return make("li", { className: "row" }, [
    named("a", "link"),
    make("span", {}, [named("span", "kills", "kills"), hidden(" kills")]),
    make("span", {}, [named("span", "deaths", "deaths"), hidden(" deaths")]),
  ]);
}

/**
 * @param {Person} person
 * @param {number} kills
 * @param {number} deaths
 */
function showPlayer(person, kills, deaths) {
  document.title = `${person.name}, Shooter`;
  paint(byId("player"), person.team.row.color);
  setText(byId("player-name"), person.name);
  setText(byId("player-team"), person.team.row.name);
  setNumber(byId("player-kills"), kills);
  setNumber(byId("player-deaths"), deaths);
  byId("player").hidden = false;
}

/**
 * @param {HTMLElement} list
 * @param {{ row: Event }[]} items
 * @param {(event: Event) => (Node | string)[]} words
 */
function showEvents(list, items, words) {
  const newest = items
    .map(({ row }) => row)
    .sort((a, b) => b.id - a.id)
    .slice(0, LISTED);
  const first = list.childElementCount === 0;
  keyed(list, newest, (event) => {
    const at = moment(event.created_at);
    const time = make("time", { dateTime: at.toISOString(), title: at.toLocaleString() }, [clock(at)]);
    const className = first ? "" : "arrived";
    return make("li", { className }, [make("span", {}, words(event)), time]);
  });
  byId(`${list.id}-empty`).hidden = newest.length > 0;
}

/** @param {Event} event */
function sentence({ kind, player, victim }) {
  const verb = kind === "kill" ? "shot" : kind;
  return [person(player.row), verbOf(victim === null ? verb : `${verb} `), ...(victim === null ? [] : [person(victim.row)])];
}

/** @param {string} text */
function verbOf(text) {
  return make("span", { className: "verb" }, [` ${text}`]);
}

/** @param {Person} who */
function person(who) {
  const element = make("a", { href: `/?player=${who.id}` }, [who.name]);
  paint(element, who.team.row.color);
  return element;
}

/**
 * A point in time as Postgres prints it, `2026-11-25 08:09:41.5+00`, of which not every browser
 * makes a date.
 *
 * @param {string} text
 */
function moment(text) {
  return new Date(text.replace(" ", "T").replace(/[+-]\d\d$/, "$&:00"));
}

/** @param {Date} at */
function clock(at) {
  return at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit", second: "2-digit" });
}

// The form

function offerPlayers() {
  offer("killer", teams);
  offerVictims();
}

/** Whoever shot was shooting at the other team. */
function offerVictims() {
  const killer = chosen("killer");
  offer(
    "victim",
    teams.filter(({ users }) => users.items.every(({ row }) => row.id !== killer)),
  );
}

/**
 * Offers the players of some teams. What is chosen stays chosen, and an open list is left alone
 * unless it has changed.
 *
 * @param {"killer" | "victim"} id
 * @param {TeamOfPlayers[]} from
 */
function offer(id, from) {
  const select = /** @type {HTMLSelectElement} */ (byId(id));
  const text = JSON.stringify(from.map(({ name, users }) => [name, users.items.map(({ row }) => [row.id, row.name])]));
  if (select.dataset["offered"] === text) {
    return;
  }
  select.dataset["offered"] = text;
  const before = select.value;
  select.replaceChildren(
    ...from.map(({ name, users }) =>
      make(
        "optgroup",
        { label: name },
        users.items.map(({ row }) => make("option", { value: String(row.id) }, [row.name])),
      ),
    ),
  );
  if ([...select.options].some(({ value }) => value === before)) {
    select.value = before;
  }
}

/** @param {"killer" | "victim"} id */
function chosen(id) {
  return Number(/** @type {HTMLSelectElement} */ (byId(id)).value);
}
