// Text from functions and callers: shortened if long, isolated so that its writing direction does
// not affect the text around it, and with invisible control characters made visible.

import { h } from "../scripts/element.js";
import { count } from "../scripts/figures.js";

const LONG = 2000;
// C0 and C1 controls except tab and line feed, and all characters that change the direction.
const INVISIBLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Replace control characters by their code, so that the text is shown as it is stored. */
export function visible(text) {
  return text.replace(
    INVISIBLE,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A short text within a line. */
export function isolated(text, longest = 120) {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return h(
    "bdi",
    { title: text.length > longest ? visible(text.slice(0, LONG)) : null },
    visible(cut),
  );
}

/** A sentence of our own or of a docstring: what stands between backticks becomes code. */
export function prose(text) {
  return text
    .split(/`([^`\n]+)`/)
    .map((part, i) => (i % 2 ? h("code", {}, visible(part)) : visible(part)));
}

/** Paragraphs of a docstring: lines of a sentence are joined, lists and indented lines are kept. */
export function paragraphs(text) {
  return prose(text.replace(/(\S)[ \t]*\n(?=\S)(?![-*+] |\d+[.)] |[|>#]|```)/g, "$1 "));
}

/** A text with its line breaks, shortened until the reader asks for all of it. */
export function block(text, { kind = "text", longest = LONG } = {}) {
  const pre = h("pre", { class: kind, tabindex: "0" });
  const place = h("div", { class: "block" }, pre);
  if (text.length <= longest) {
    pre.textContent = visible(text);
    return place;
  }
  pre.classList.add("long");
  pre.textContent = visible(text.slice(0, longest));
  place.append(showAll(text.length, () => (pre.textContent = visible(text))));
  return place;
}

/** A string within JSON, shortened until the reader asks for all of it. */
export function quoted(text, longest = 500) {
  const shown = h("bdi", { class: "string" });
  if (text.length <= longest) {
    shown.textContent = visible(JSON.stringify(text));
    return shown;
  }
  shown.textContent = visible(JSON.stringify(text.slice(0, longest)).slice(0, -1));
  return h(
    "span",
    {},
    shown,
    showAll(text.length, () => (shown.textContent = visible(JSON.stringify(text)))),
  );
}

function showAll(length, show) {
  const button = h(
    "button",
    { type: "button", class: "quiet more" },
    `… show all ${count(length)} characters`,
  );
  button.addEventListener("click", () => {
    show();
    button.remove();
  });
  return button;
}
