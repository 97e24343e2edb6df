// `SessionGrid`: every session as a cell of one picture, ten thousand of them at once.

import { html, useEffect, useRef } from "./vendor/htm-preact.js";
import { ask } from "./use.js";
import { go } from "./place.js";
import { count } from "./words.js";

const PITCH = 6;
const BIG = 14;

/** @param {{grid: {cells: string, per_cell: number, sessions: number}}} of */
export function SessionGrid({ grid }) {
  const canvas = useRef(null);
  const { cells } = grid;
  const pitch = cells.length > 600 ? PITCH : BIG;
  useEffect(() => draw(canvas.current, cells, pitch), [cells, pitch, document.documentElement.dataset.theme]);
  return html`<div class="grid">
    <canvas
      ref=${canvas}
      role="img"
      aria-label=${`${count(grid.sessions)} sessions: ${count(letters(cells, "b"))} of ${count(cells.length)} cells are behind, ${count(letters(cells, "o"))} offline`}
      onClick=${(/** @type {MouseEvent} */ event) => open(event, cells.length, pitch)}
    ></canvas>
    <p class="legend">
      <span class="state live">● live</span><span class="state behind">◆ behind</span><span class="state offline">○ offline</span>
      ${grid.per_cell > 1 ? html`<span>a cell is ${count(grid.per_cell)} sessions and shows the worst</span>` : null}
    </p>
  </div>`;
}

/** @param {string} cells @param {string} letter */
function letters(cells, letter) {
  return cells.split(letter).length - 1;
}

/** @param {HTMLCanvasElement} canvas @param {number} pitch */
function columnsOf(canvas, pitch) {
  return Math.max(1, Math.floor((canvas.parentElement?.clientWidth ?? 600) / pitch));
}

/**
 * @param {HTMLCanvasElement | null} canvas
 * @param {string} cells
 * @param {number} pitch
 */
function draw(canvas, cells, pitch) {
  const context = canvas?.getContext("2d");
  if (!canvas || !context) {
    return;
  }
  const columns = columnsOf(canvas, pitch);
  const rows = Math.ceil(cells.length / columns);
  const scale = devicePixelRatio;
  canvas.width = columns * pitch * scale;
  canvas.height = rows * pitch * scale;
  canvas.style.width = `${columns * pitch}px`;
  canvas.style.height = `${rows * pitch}px`;
  context.scale(scale, scale);
  const side = pitch - (pitch > PITCH ? 3 : 1);
  // A colour at a time: the shapes are the same, and changing the colour is what takes long.
  for (const [letter, name] of [["l", "live"], ["b", "behind"], ["o", "offline"]]) {
    canvas.style.color = `var(--${name})`;
    context.fillStyle = context.strokeStyle = getComputedStyle(canvas).color;
    for (let at = 0; at < cells.length; at += 1) {
      if (cells[at] === letter) {
        const [x, y] = [(at % columns) * pitch, Math.floor(at / columns) * pitch];
        if (letter === "o") {
          context.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
        } else {
          context.fillRect(x, y, side, side);
        }
        if (letter === "b") {
          context.clearRect(x + side / 3, y + side / 3, side / 3, side / 3);
        }
      }
    }
  }
}

/**
 * @param {MouseEvent} event
 * @param {number} cells
 * @param {number} pitch
 */
async function open(event, cells, pitch) {
  const canvas = /** @type {HTMLCanvasElement} */ (event.currentTarget);
  const cell = Math.floor(event.offsetY / pitch) * columnsOf(canvas, pitch) + Math.floor(event.offsetX / pitch);
  const { ok } = cell < cells ? await ask(`/api/grid/${cell}`) : {};
  if (ok?.sessions.length > 0) {
    go(`/sessions/${ok.sessions[0].session}`);
  }
}
