// JSON as a tree: short values are open; long and deep ones are closed, and drawn when opened.

import { h } from "../scripts/element.js";
import { ExactNumber } from "../scripts/exact_json.js";
import { many } from "../scripts/figures.js";
import { isolated, quoted } from "./safe_text.js";

const OPEN_DEPTH = 3;
const OPEN_ENTRIES = 30;
const AT_ONCE = 100;

/** The tree of any JSON value. */
export function jsonView(value) {
  return h(
    "div",
    { class: "json", tabindex: "0", role: "group", "aria-label": "JSON" },
    node(value, 0),
  );
}

function node(value, depth, label = []) {
  if (value !== null && typeof value === "object" && !(value instanceof ExactNumber))
    return structure(value, depth, label);
  return h("span", {}, label, leaf(value));
}

function leaf(value) {
  if (value === null) return h("span", { class: "null" }, "null");
  if (typeof value === "string") return quoted(value);
  if (value instanceof ExactNumber) return h("span", { class: "number" }, value.text);
  return h("span", { class: typeof value }, String(value));
}

function structure(value, depth, label) {
  const isArray = Array.isArray(value);
  const entries = isArray ? value : Object.entries(value);
  if (entries.length === 0) return h("span", {}, label, isArray ? "[ ]" : "{ }");
  const said = isArray
    ? `[ ${many(entries.length, "item")} ]`
    : `{ ${many(entries.length, "member")} }`;
  const list = h("ul", {});
  const details = h("details", {}, h("summary", {}, label, said), list);
  const draw = () => list.childElementCount || addEntries(list, entries, 0, isArray, depth);
  details.addEventListener("toggle", draw);
  if (depth < OPEN_DEPTH && entries.length <= OPEN_ENTRIES) {
    details.open = true;
    draw();
  }
  return details;
}

function addEntries(list, entries, from, isArray, depth) {
  const end = Math.min(entries.length, from + AT_ONCE);
  for (let i = from; i < end; i += 1) {
    const [name, value] = isArray ? [i, entries[i]] : entries[i];
    const label = isArray
      ? h("span", { class: "index" }, name)
      : h("span", { class: "name" }, isolated(name));
    list.append(h("li", {}, node(value, depth + 1, [label, ": "])));
  }
  if (end === entries.length) return;
  const rest = many(entries.length - end, "more", "more");
  const more = h("button", { type: "button", class: "quiet more" }, `… show more (${rest})`);
  const place = h("li", {}, more);
  more.addEventListener("click", () => {
    place.remove();
    addEntries(list, entries, end, isArray, depth);
  });
  list.append(place);
}
