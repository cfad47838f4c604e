// The output of an invocation: progress, items, events, log, and its result or error.

import { fill, h, redraw } from "../scripts/element.js";
import { count } from "../scripts/figures.js";
import { jsonView } from "./json_view.js";
import { resultView } from "./result_view.js";
import { block, isolated, prose, visible } from "./safe_text.js";
import { isEnded } from "./status_badge.js";

const MOST_SHOWN = 200;

/** Make the panels; returns {element, show(told)}; `told` is what `follow` passes on. */
export function makeOutput(signal) {
  const progress = h("div", { class: "progress-place" });
  const ending = h("div", {});
  const items = listPanel("Items");
  const events = listPanel("Events");
  const logs = logPanel();
  const element = h(
    "div",
    { class: "output" },
    progress,
    ending,
    items.element,
    events.element,
    logs.element,
  );

  function show(told) {
    const invocation = told.invocation;
    const isOver = isEnded(invocation.status);
    const shown = isOver
      ? invocation.status === "succeeded"
        ? null
        : invocation.progress
      : (told.progress ?? invocation.progress);
    redraw(progress, shown, drawProgress);
    redraw(ending, [invocation.id, invocation.status, Boolean(invocation.error)], () =>
      drawEnding(invocation, signal),
    );
    items.show(told.items, isOver);
    events.show(told.events, isOver);
    logs.show(told.logs, isOver);
  }

  return { element, show };
}

function drawProgress(progress) {
  if (!progress) return null;
  const { done, total, message } = progress;
  const bar = h("progress", {
    max: total ?? null,
    value: total === null || total === undefined ? null : done,
    "aria-label": "Progress",
  });
  const said = total === null || total === undefined ? `${done}` : `${done} of ${total}`;
  return h(
    "div",
    { class: "progress" },
    bar,
    h("span", {}, said, message ? " · " : null, isolated(message ?? "")),
  );
}

function drawEnding(invocation, signal) {
  if (invocation.status === "succeeded") {
    return panel("Result", resultView(invocation, signal));
  }
  if (invocation.error) return panel("Error", errorView(invocation.error));
  return null;
}

/** An error and its traceback. */
export function errorView(error) {
  const kind = error.exception_type ? `${error.exception_type}` : error.type;
  return h(
    "div",
    { class: "error-view" },
    h(
      "p",
      { class: "error-line" },
      h("code", {}, isolated(kind)),
      " ",
      isolated(error.message ?? "", 1000),
    ),
    HINTS[error.type] ? h("p", { class: "hint" }, prose(HINTS[error.type])) : null,
    error.traceback ? block(error.traceback, { kind: "traceback", longest: 20_000 }) : null,
  );
}

const HINTS = {
  timeout:
    "It exceeded its timeout and was killed. Raise `timeout`, or do less in one call.",
  worker_lost:
    "Its runner or worker died three times while running it. Check memory and native code.",
  out_of_memory: "It used more memory than allowed. Raise `memory`, or process less at once.",
  exited: "The function ended its process. Return or raise instead.",
  result_not_serializable: "Its result cannot be written as JSON.",
  result_too_large: "Its result is too large. Return less, or a link.",
  arguments_invalid: "The arguments do not fit the function's types; it is not retried.",
  rejected: "The function rejected this call; it is not retried.",
};

function listPanel(name) {
  const list = h("ol", { class: "told", tabindex: "0", "aria-label": name });
  const title = h("h2", {});
  const element = h("section", { class: "panel", hidden: true }, title, list);
  const keepAtEnd = followEnd(list);
  let shown = 0;
  return {
    element,
    show(values, isOver) {
      element.hidden = values.length === 0;
      const part = values.length > MOST_SHOWN ? `the last ${MOST_SHOWN} of ` : "";
      const said = `${part}${count(values.length)}${isOver ? "" : " so far"}`;
      fill(title, `${name} `, h("span", { class: "note" }, said));
      if (values.length === shown) return;
      if (values.length < shown) {
        fill(list);
        shown = 0;
      }
      for (const value of values.slice(Math.max(shown, values.length - MOST_SHOWN)))
        list.append(h("li", {}, jsonView(value)));
      while (list.children.length > MOST_SHOWN) list.firstElementChild.remove();
      shown = values.length;
      list.start = shown - list.children.length + 1;
      keepAtEnd(isOver);
    },
  };
}

function logPanel() {
  const pre = h("pre", { class: "log", tabindex: "0", "aria-label": "Log" });
  const note = h("span", { class: "note" });
  const element = h("section", { class: "panel" }, h("h2", {}, "Log ", note), pre);
  const keepAtEnd = followEnd(pre);
  let shown = null;
  return {
    element,
    show(text, isOver) {
      const said = text === "" ? (isOver ? "It printed nothing." : "Nothing printed yet.") : "";
      note.textContent = said;
      pre.hidden = text === "";
      if (text === shown) return;
      pre.textContent = visible(text);
      shown = text;
      keepAtEnd(isOver);
    },
  };
}

/**
 * Keep the newest entry of a box in view while it grows, unless the reader has scrolled up. Returns
 * a function to call after each change; what is over when it is first shown begins at its start.
 */
export function followEnd(box) {
  let isAtEnd = true;
  let hasRun = false;
  box.addEventListener("scroll", () => {
    isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
  });
  return (isOver) => {
    hasRun ||= !isOver;
    if (hasRun && isAtEnd) requestAnimationFrame(() => (box.scrollTop = box.scrollHeight));
  };
}

function panel(title, ...content) {
  return h("section", { class: "panel" }, h("h2", {}, title), content);
}
