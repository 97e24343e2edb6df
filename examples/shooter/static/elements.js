// @ts-check
/** Making elements and keeping them up to date: what `app.js` needs of the browser. */

/**
 * The element of the page with this id.
 *
 * @param {string} id
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`The page has no element #${id}`);
  }
  return element;
}

/**
 * The part of an element that {@link named} gave this name.
 *
 * @param {HTMLElement} element
 * @param {string} name
 */
export function part(element, name) {
  return /** @type {HTMLElement} */ (element.querySelector(`[data-part="${name}"]`));
}

/**
 * Makes an element. Text goes in as text, so nothing in it is ever taken for HTML.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} children
 * @returns {HTMLElement}
 */
export function make(tag, properties, children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/**
 * An empty element that {@link part} finds by its name.
 *
 * @param {string} tag
 * @param {string} name
 */
export function named(tag, name, className = "") {
  const element = make(tag, { className }, []);
  element.dataset["part"] = name;
  return element;
}

/**
 * Text for those who listen to the page.
 *
 * @param {string} text
 */
export function hidden(text) {
  return make("span", { className: "visually-hidden" }, [text]);
}

/**
 * Gives an element its team's colour.
 *
 * @param {HTMLElement} element
 * @param {string} color
 */
export function paint(element, color) {
  if (/^#[0-9a-f]{6}$/i.test(color)) {
    element.style.setProperty("--team", color);
  }
}

/**
 * Shows a text. The same text again leaves the page alone.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * Shows a number, and that it has changed.
 *
 * @param {HTMLElement} element
 * @param {number} number
 */
export function setNumber(element, number) {
  const before = element.textContent;
  setText(element, String(number));
  if (before !== "" && before !== String(number)) {
    element.classList.remove("changed");
    void element.offsetWidth; // lets the animation start anew
    element.classList.add("changed");
  }
}

/**
 * Makes the children of `list` those of `items`, in order, keeping each item's element.
 *
 * @template {{ id: number }} T
 * @param {HTMLElement} list
 * @param {T[]} items
 * @param {(item: T) => HTMLElement} create
 * @param {(element: HTMLElement, item: T) => void} update
 */
export function keyed(list, items, create, update = () => {}) {
  const before = new Map([...list.children].map((child) => [/** @type {HTMLElement} */ (child).dataset["id"], child]));
  const after = items.map((item) => {
    const known = /** @type {HTMLElement | undefined} */ (before.get(String(item.id)));
    const element = known ?? create(item);
    element.dataset["id"] = String(item.id);
    update(element, item);
    return element;
  });
  if (after.length !== list.childElementCount || after.some((element, at) => element !== list.children[at])) {
    list.replaceChildren(...after);
  }
}
