// What `blazelink dev` adds to the pages of an app: the compiler's errors and what has to be decided
// over the page, and what a save of a template, a script or a style sheet asks for. Rust edits never
// load a page again.
(() => {
  "use strict";

  const EVENTS = "/blazelink/dev/events";
  const ANSWER = "/blazelink/dev/answer";
  const FAILED = "The app that answers is the last one that could be built. Esc closes this.";
  const ASKING = "The app that answers is the one before, until this is decided here or in the terminal.";
  /** How long to wait until the stream is opened again, in milliseconds. */
  const AGAIN_MS = 300;

  const STYLE = `
    :host { all: initial; color-scheme: light dark; }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    .veil {
      position: fixed; inset: 0; z-index: 2147483646; padding: 4vh 16px; overflow: auto;
      background: rgb(10 12 16 / 55%); font: 14px/1.5 system-ui, sans-serif;
    }
    .card {
      max-width: 60rem; margin: 0 auto; padding: 18px 22px 22px; border-radius: 10px;
      border-top: 4px solid light-dark(#b42318, #ff6b5e);
      background: light-dark(#fff, #1e2128); color: light-dark(#1d1f24, #e6e7ea);
      box-shadow: 0 12px 40px rgb(0 0 0 / 35%); user-select: text;
    }
    header { display: flex; align-items: center; gap: 8px; }
    h2 { flex: 1; margin: 0; font-size: 18px; font-weight: 650; color: light-dark(#b42318, #ff8a80); }
    p { margin: 4px 0 0; color: light-dark(#62666f, #9aa0ab); }
    button { font: inherit; color: inherit; cursor: pointer; }
    header button {
      min-width: 32px; height: 32px; border: 1px solid light-dark(#dcdcd6, #3c414d);
      border-radius: 6px; background: none; font-size: 16px; line-height: 1;
    }
    pre {
      margin: 12px 0 0; padding: 12px 14px; overflow-x: auto; white-space: pre;
      border: 1px solid light-dark(#dcdcd6, #343842); border-radius: 6px;
      background: light-dark(#f6f6f3, #16181d); font: 12.5px/1.5 ui-monospace, monospace;
    }
    .place {
      display: inline-block; margin-top: 16px; padding: 0; border: 0; background: none;
      font: 13px ui-monospace, monospace; color: light-dark(#0b57d0, #8ab4f8); text-decoration: underline;
    }
    .place + pre { margin-top: 4px; }
    .card.asks { border-top-color: light-dark(#0b57d0, #8ab4f8); }
    .asks h2 { color: inherit; }
    .choices { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 16px; }
    .choices button {
      padding: 7px 14px; border: 1px solid light-dark(#dcdcd6, #3c414d); border-radius: 6px; background: none;
    }
    .choices button:first-child { background: light-dark(#0b57d0, #8ab4f8); color: light-dark(#fff, #16181d); }
    .choices button:disabled { opacity: 0.5; cursor: default; }
    .badge {
      position: fixed; right: 16px; bottom: 16px; z-index: 2147483646; padding: 8px 14px;
      border: 0; border-radius: 999px; background: #b42318; color: #fff;
      font: 600 14px/1.3 system-ui, sans-serif; box-shadow: 0 4px 16px rgb(0 0 0 / 30%);
    }
    .badge.asks { background: #0b57d0; }
    button:focus-visible, a:focus-visible { outline: 2px solid light-dark(#0b57d0, #8ab4f8); outline-offset: 2px; }
    .red { color: light-dark(#b42318, #ff8a80); } .green { color: light-dark(#116329, #7ee787); }
    .yellow { color: light-dark(#8a5a00, #e3b341); } .blue { color: light-dark(#0550ae, #79c0ff); }
    .magenta { color: light-dark(#8250df, #d2a8ff); } .cyan { color: light-dark(#0a6c74, #76e3ea); }
    .bold { font-weight: 700; }
  `;

  // The stream

  function follow() {
    const stream = new EventSource(EVENTS);
    stream.onmessage = ({ data }) => hear(JSON.parse(data));
    stream.onerror = () => {
      // The app gives way to the next one, or the tool answers in its place.
      stream.close();
      setTimeout(follow, AGAIN_MS);
    };
  }

  function hear(told) {
    if (told.event === "state") {
      show(told.problem ?? asked(told.question));
    } else if (told.event === "reload") {
      location.reload();
    } else if (told.event === "css") {
      restyle(told.files);
    }
  }

  // Style sheets

  /** Loads the style sheets of these names anew; all of this origin if none of them is here by its name. */
  function restyle(files) {
    const links = [...document.querySelectorAll('link[rel~="stylesheet"][href]')].filter(
      (link) => new URL(link.href).origin === location.origin,
    );
    const named = links.filter((link) => files.includes(new URL(link.href).pathname.split("/").at(-1)));
    for (const link of named.length > 0 ? named : links) {
      const fresh = link.cloneNode();
      const url = new URL(link.href);
      url.searchParams.set("saved", String(Date.now()));
      fresh.href = url.href;
      fresh.addEventListener("load", () => link.remove());
      fresh.addEventListener("error", () => fresh.remove());
      link.after(fresh);
    }
  }

  // Questions

  /** A question as a problem that has answers. */
  function asked(question) {
    return question && { ...question, errors: [] };
  }

  function choicesOf({ id, choices }) {
    const buttons = choices.map(({ word, label }) => {
      const element = make("button", "", label);
      element.addEventListener("click", () => answer(id, word, buttons));
      return element;
    });
    return make("div", "choices", ...buttons);
  }

  /** Says it to the app, which tells the tool; what follows is told like anything else that happens. */
  async function answer(id, choice, buttons) {
    const enable = (whether) => buttons.forEach((button) => (button.disabled = !whether));
    enable(false);
    const headers = { "content-type": "application/json" };
    const sent = fetch(ANSWER, { method: "POST", headers, body: JSON.stringify({ id, choice }) });
    if (!(await sent.catch(() => undefined))?.ok) {
      enable(true);
    }
  }

  // Errors

  /** The host of everything below, once there was something to show. */
  let parts;
  /** The problem that is known, as text, and whether somebody has closed it. */
  let known = "null";
  let opener;

  function show(problem) {
    const text = JSON.stringify(problem ?? null);
    if (text === known) {
      return;
    }
    known = text;
    if (!problem) {
      hide();
      return;
    }
    parts ??= build();
    parts.title.textContent = problem.title;
    const first = problem.errors[0];
    parts.badge.textContent = problem.title;
    const shown = problem.errors.flatMap((error) => {
      const pre = make("pre", "", ...coloured(error.text));
      return error.place ? [placeOf(error), pre] : [pre];
    });
    if (problem.text !== "") {
      shown.push(make("pre", "", ...coloured(problem.text)));
    }
    if (problem.choices) {
      shown.push(choicesOf(problem));
    }
    parts.card.classList.toggle("asks", Boolean(problem.choices));
    parts.badge.classList.toggle("asks", Boolean(problem.choices));
    parts.card.setAttribute("aria-label", problem.choices ? "Question" : "Errors");
    parts.hint.textContent = problem.choices ? ASKING : FAILED;
    parts.errors.replaceChildren(...shown);
    parts.spoken.textContent = first?.place ? `${problem.title} in ${first.place}` : problem.title;
    open();
  }

  function open() {
    opener ??= document.activeElement;
    parts.veil.hidden = false;
    parts.badge.hidden = true;
  }

  /** Into the corner, until it is opened there or the next error comes. */
  function minimise() {
    parts.veil.hidden = true;
    parts.badge.hidden = false;
    leave();
  }

  /** Away, until the next error comes. */
  function close() {
    parts.veil.hidden = true;
    parts.badge.hidden = true;
    leave();
  }

  function hide() {
    if (parts) {
      close();
      parts.spoken.textContent = "The app is what was saved";
    }
  }

  function leave() {
    opener?.focus?.();
    opener = undefined;
  }

  function build() {
    const host = document.createElement("blazelink-overlay");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const title = make("h2", "");
    const small = button("_", "Minimise", minimise);
    const away = button("×", "Close", close);
    const errors = make("div", "");
    const hint = make("p", "");
    const card = make("section", "card", make("header", "", title, small, away), hint, errors);
    card.setAttribute("role", "dialog");
    const veil = make("div", "veil", card);
    veil.hidden = true;
    veil.addEventListener("click", ({ target }) => {
      if (target === veil) {
        close();
      }
    });
    const badge = make("button", "badge");
    badge.hidden = true;
    badge.addEventListener("click", open);
    // Said to those who listen to the page, whether the card is open or not.
    const spoken = make("div", "");
    spoken.setAttribute("aria-live", "assertive");
    spoken.style.cssText = "position:fixed;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
    root.append(veil, badge, spoken);
    document.documentElement.append(host);
    addEventListener(
      "keydown",
      (event) => {
        if (event.key === "Escape" && !veil.hidden) {
          event.stopPropagation();
          close();
        }
      },
      true,
    );
    return { title, hint, errors, card, veil, badge, spoken };
  }

  /** Where an error is: a link into the editor, or a button that copies it. */
  function placeOf({ place, link }) {
    const element = make(link ? "a" : "button", "place", place);
    if (link) {
      element.href = link;
    } else {
      element.title = "Copy";
      element.addEventListener("click", () => navigator.clipboard?.writeText(place));
    }
    return element;
  }

  function button(text, label, act) {
    const element = make("button", "", text);
    element.setAttribute("aria-label", label);
    element.title = label;
    element.addEventListener("click", act);
    return element;
  }

  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    element.className = className;
    element.append(...children);
    return element;
  }

  /** The colours of a terminal (ECMA-48, SGR) as elements; text goes in as text. */
  function coloured(text) {
    const names = { 31: "red", 32: "green", 33: "yellow", 34: "blue", 35: "magenta", 36: "cyan" };
    let bold = false;
    let colour = "";
    return text.split("\x1b[").flatMap((part, at) => {
      let rest = part;
      if (at > 0) {
        const end = part.search(/[A-Za-z]/);
        const codes = part.slice(0, end).split(/[;:]/).map(Number);
        rest = part.slice(end + 1);
        if (codes[0] === 38) {
          colour = names[30 + (codes[2] % 8)] ?? "";
        } else {
          for (const code of codes) {
            if (code === 0) {
              bold = false;
              colour = "";
            }
            if (code === 1) {
              bold = true;
            }
            colour = names[code >= 90 ? code - 60 : code] ?? colour;
          }
        }
      }
      return rest === "" ? [] : [make("span", `${colour} ${bold ? "bold" : ""}`.trim(), rest)];
    });
  }

  follow();
})();
