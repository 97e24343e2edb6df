// @ts-check
/** The models of the README of the original's browser client. */
import { page, relation, scalar, struct } from "./field.js";
import { dependency } from "./model.js";

/** @type {import("./model.js").Class[]} */
export const CLASSES = [
  {
    entity: "User",
    fields: { id: scalar("id"), nick: scalar("name"), events: page("events", 5) },
    dependencies: [dependency("GameEvent", { events: ["Create"], where: { id: "player_id" } })],
  },
  {
    entity: "GameEvent",
    fields: {
      id: scalar("id"),
      type: scalar("type"),
      player: relation("player"),
      game: relation("game"),
    },
  },
  { entity: "Game", fields: { id: scalar("id"), name: scalar("name") } },
  {
    entity: "PlayerStats",
    fields: { kills: scalar("kills") },
    dependencies: [dependency("GameEvent", {})],
  },
  {
    entity: "Queryable",
    fields: { answer: struct("get_struct", [struct("b", [scalar("a")]), scalar("c")]) },
  },
];
