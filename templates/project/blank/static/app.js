// The page: all notes, and a form for one more. Yours to edit. It asks for what it shows and is told
// when that changes: it never polls, and does not care who wrote, its own form or psql.
import { createClient } from "/blazelink/client.js";

const NOTES = "{ notes(orderBy: [{ id: DESC }], size: 50) { items { row { text created_at } } } }";

const ADD = "mutation ($text: String!) { createNote(input: { text: $text }) { obj_id } }";

const blaze = createClient();

blaze.status.subscribe(({ name }) => {
  byId("status").textContent = name;
});

blaze.live(NOTES, {}, (snapshot) => {
  const problem = snapshot.state === "error" ? snapshot.error : snapshot.errors[0];
  byId("problem").textContent = problem?.message ?? "";
  if (snapshot.state === "live" && problem === undefined) {
    byId("notes").replaceChildren(...snapshot.data.notes.items.map(({ row }) => item(row)));
  }
});

byId("form").onsubmit = async (submit) => {
  submit.preventDefault();
  const input = byId("text");
  const response = await fetch("/graphql/", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: ADD, variables: { text: input.value } }),
  }).catch(() => undefined);
  const answer = (await response?.json()) ?? { errors: [{ message: "The server is not there" }] };
  byId("problem").textContent = answer.errors?.[0].message ?? "";
  input.value = answer.errors === undefined ? "" : input.value;
};

function item({ text, created_at }) {
  const [element, time] = [document.createElement("li"), document.createElement("time")];
  // As Postgres prints it, of which not every browser makes a date.
  const at = new Date(created_at.replace(" ", "T").replace(/[+-]\d\d$/, "$&:00"));
  time.textContent = at.toLocaleTimeString();
  element.append(text, time);
  return element;
}

function byId(id) {
  return document.getElementById(id);
}
