// The page: whether the app is live, and the way to its tables. Yours to edit. `blaze.live(document,
// variables, show)` asks for what a page shows, and again whenever a commit changes that.
import { createClient } from "/blazelink/client.js";

const blaze = createClient();

blaze.status.subscribe(({ name }) => {
  document.getElementById("status").textContent = name;
});
