// What an invocation has told so far: progress, items, events, logs, and how it ended.

import { fill, h, redraw } from "../scripts/element.js";
import { many } from "../scripts/figures.js";
import { jsonView } from "./json_view.js";
import { resultView } from "./result_view.js";
import { block, isolated, visible } from "./safe_text.js";
import { isEnded } from "./status_badge.js";

const MOST_SHOWN = 200;

/** Make the panels; returns {element, show(told)} where `told` is that of `follow`. */
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
    items.show(told.items);
    events.show(told.events);
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

/** An error with its traceback. */
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
    HINTS[error.type] ? h("p", { class: "hint" }, HINTS[error.type]) : null,
    error.traceback ? block(error.traceback, { kind: "traceback", longest: 20_000 }) : null,
  );
}

const HINTS = {
  timeout:
    "It ran longer than its timeout and was killed. Raise `timeout`, or do less in one call.",
  worker_lost:
    "Its runner or worker died three times while running it: look at memory, and at native code.",
  out_of_memory: "It asked for more memory than allowed. Raise `memory`, or work in pieces.",
  exited: "The function ended its process. Return or raise instead.",
  result_not_serializable: "It returned something that JSON cannot hold.",
  result_too_large: "Its result is larger than allowed. Return a link, or less.",
  rejected: "The function refused this call on purpose; it is not retried.",
};

function listPanel(name) {
  const list = h("ol", { class: "told" });
  const title = h("h2", {});
  const element = h("section", { class: "panel", hidden: true }, title, list);
  let shown = 0;
  return {
    element,
    show(values) {
      element.hidden = values.length === 0;
      if (values.length < shown) {
        fill(list);
        shown = 0;
      }
      fill(
        title,
        `${name} `,
        h("span", { class: "note" }, many(values.length, "so far", "so far")),
      );
      for (const value of values.slice(shown, MOST_SHOWN))
        list.append(h("li", {}, jsonView(value)));
      shown = Math.min(values.length, MOST_SHOWN);
      if (values.length > MOST_SHOWN)
        fill(
          title,
          `${name} `,
          h("span", { class: "note" }, `the first ${MOST_SHOWN} of ${values.length}`),
        );
    },
  };
}

function logPanel() {
  const pre = h("pre", { class: "log", tabindex: "0", "aria-label": "Log" });
  const note = h("span", { class: "note" });
  const element = h("section", { class: "panel" }, h("h2", {}, "Log ", note), pre);
  let shown = null;
  return {
    element,
    show(text, isOver) {
      const said = text === "" ? (isOver ? "It printed nothing." : "Nothing printed yet.") : "";
      note.textContent = said;
      pre.hidden = text === "";
      if (text === shown) return;
      const isAtEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 8;
      pre.textContent = visible(text);
      shown = text;
      if (isAtEnd) pre.scrollTop = pre.scrollHeight;
    },
  };
}

function panel(title, ...content) {
  return h("section", { class: "panel" }, h("h2", {}, title), content);
}
