// Creating elements. Text is always inserted as text: nothing in the dashboard parses markup, and
// the page's content security policy (Trusted Types) forbids it.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Create an element: h("button", {class: "quiet", onclick: f}, "Cancel", …).
 * Children are nodes, text, numbers or lists of them; null, undefined, false and "" are left out.
 */
export function h(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Create an SVG element. */
export function s(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

/** Replace all children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

const shown = new WeakMap();

/**
 * Build the element's content from `value`, unless it shows the same value already. The element
 * with the same `data-key` gets the focus back.
 */
export function redraw(element, value, build) {
  const signature = JSON.stringify(value);
  if (shown.has(element) && shown.get(element) === signature) return;
  shown.set(element, signature);
  const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
  fill(element, build(value));
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "value" && "value" in element) element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}
