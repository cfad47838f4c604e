// The table of invocations: of the list, of a function, of a batch.

import { h } from "../scripts/element.js";
import { ago, span } from "../scripts/moments.js";
import { to } from "../scripts/router.js";
import { isolated } from "./safe_text.js";
import { badge, isEnded } from "./status_badge.js";
import { makeTable } from "./table.js";

/** Make the table; `without` lists the names of columns to leave out. */
export function makeInvocationTable({ caption, empty, without = [] }) {
  const columns = COLUMNS.filter((column) => !without.includes(column.name));
  return makeTable({ caption, empty, columns, key: (item) => item.id });
}

/** The last characters of an id, which differ between ids. */
export function shortId(id) {
  return `…${id.slice(-8)}`;
}

const COLUMNS = [
  {
    name: "Status",
    kind: "status",
    value: (item) => item.status,
    draw: (item) => badge(item.status),
  },
  {
    name: "Function",
    kind: "function",
    value: (item) => item.function,
    draw: (item) => h("a", { href: to("functions", item.function) }, item.function),
  },
  {
    name: "Id",
    kind: "id",
    value: (item) => item.id,
    draw: (item) =>
      h(
        "a",
        { href: to("invocations", item.id), title: item.id, data: { key: item.id } },
        shortId(item.id),
      ),
  },
  {
    name: "Accepted",
    kind: "when",
    value: (item) => item.created_at,
    draw: (item) => ago(item.created_at),
  },
  {
    name: "Waited",
    kind: "figure",
    value: (item) => item.queued_ms,
    draw: (item) => span(item.queued_ms),
  },
  {
    name: "Ran",
    kind: "figure",
    value: (item) => [item.duration_ms, item.progress, item.status],
    draw: (item) => (item.status === "running" ? progressOf(item) : span(item.duration_ms)),
  },
  {
    name: "Attempt",
    kind: "figure",
    value: (item) => item.attempt,
    draw: (item) => (item.attempt > 1 ? item.attempt : ""),
  },
  {
    name: "Details",
    kind: "what",
    value: (item) => [item.error?.message, item.error?.type, item.tags, item.retried_by],
    draw: (item) => [
      item.error && isEnded(item.status)
        ? [
            h("code", {}, isolated(item.error.exception_type ?? item.error.type, 40)),
            " ",
            isolated(item.error.message ?? "", 90),
          ]
        : null,
      (item.tags ?? []).map((tag) => [" ", h("span", { class: "tag" }, isolated(tag, 40))]),
      item.retried_by
        ? [" ", h("a", { class: "note", href: to("invocations", item.retried_by) }, "retried")]
        : null,
    ],
  },
];

function progressOf(item) {
  const { progress } = item;
  if (!progress?.total) return h("span", { class: "none" }, "…");
  return h("progress", { max: progress.total, value: progress.done, "aria-label": "Progress" });
}
