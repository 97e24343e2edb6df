// What `blazelink dev` adds to the pages of an app for the debugger: a badge in the corner that opens it on this
// page's own session.
//
// It runs before the scripts of the page, to see which websocket they open: its address names the session. A page
// that wants no badge says `<html data-blazelink-badge="off">`.
(() => {
  "use strict";

  const DEBUGGER = "/blazelink/dev/debugger";
  const CONNECT = "/ws/connect";

  const STYLE = `
    :host { all: initial; color-scheme: light dark; }
    a {
      position: fixed; left: 12px; bottom: 12px; z-index: 2147483645; display: grid; place-items: center;
      width: 30px; height: 30px; border: 1px solid light-dark(#dcdcd6, #3c414d); border-radius: 50%;
      background: light-dark(#fff, #1e2128); color: light-dark(#a8430c, #ff9a5c); opacity: 0.6;
      font: 15px/1 system-ui, sans-serif; text-decoration: none; box-shadow: 0 2px 8px rgb(0 0 0 / 18%);
    }
    a:hover, a:focus-visible { opacity: 1; }
    a:focus-visible { outline: 2px solid light-dark(#0b57d0, #8ab4f8); outline-offset: 2px; }
    @media print { a { display: none; } }
  `;

  const link = document.createElement("a");
  link.href = DEBUGGER;
  link.target = "_blank";
  link.rel = "noopener";
  link.title = "Open the debugger on this page's session";
  link.setAttribute("aria-label", link.title);
  link.textContent = "◉";

  /** The session of the page is the one that its newest websocket names. */
  function note(address) {
    const url = new URL(address, location.href);
    const session = url.searchParams.get("session_id");
    if (url.host === location.host && url.pathname === CONNECT && session !== null) {
      link.href = `${DEBUGGER}?session_id=${encodeURIComponent(session)}`;
    }
  }

  const Socket = globalThis.WebSocket;
  globalThis.WebSocket = class WebSocket extends Socket {
    constructor(address, ...protocols) {
      super(address, ...protocols);
      note(address);
    }
  };

  addEventListener("DOMContentLoaded", () => {
    if (document.documentElement.dataset.blazelinkBadge === "off") {
      return;
    }
    const host = document.createElement("blazelink-badge");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.append(link);
    document.documentElement.append(host);
  });
})();
