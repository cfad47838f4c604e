// The list of functions, with their statistics of the last hour.

import { get, getIfAllowed } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { count, percent } from "../scripts/figures.js";
import { span } from "../scripts/moments.js";
import { poll } from "../scripts/poll.js";
import { to } from "../scripts/router.js";
import { secretBadge } from "../parts/function_facts.js";
import { elapsedOf, isUnderWay } from "../parts/packages_panel.js";
import { badge } from "../parts/status_badge.js";
import { makeTable } from "../parts/table.js";

const EVERY_MS = 4000;

export async function show(view, _, signal) {
  const search = h("input", {
    type: "search",
    id: "function-search",
    placeholder: "Name or summary",
    autocomplete: "off",
    oninput: () => draw(),
  });
  const table = makeTable({
    caption: "Functions",
    key: (item) => item.name,
    empty: nothing,
    columns: COLUMNS,
  });
  let items = [];

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    table.show(
      items.filter((item) => `${item.name} ${item.summary}`.toLowerCase().includes(wanted)),
    );
  }

  async function look() {
    const [functions, statistics] = await Promise.all([
      get("/functions", signal),
      getIfAllowed("/statistics?minutes=60", signal),
    ]);
    const lately = new Map((statistics?.functions ?? []).map((one) => [one.name, one]));
    items = functions.items.map((item) => ({ ...item, lately: lately.get(item.name) }));
    draw();
  }

  await look();
  view.append(
    h(
      "div",
      { class: "page-head" },
      h("h1", {}, "Functions"),
      h(
        "div",
        { class: "page-tools" },
        h("label", { class: "unseen", for: "function-search" }, "Filter"),
        search,
      ),
    ),
    h("p", { class: "lead" }, "Statistics cover the last hour."),
    h("section", { class: "panel" }, table.element),
  );
  poll(look, EVERY_MS, signal);

  function nothing() {
    if (items.length) return "No function matches.";
    return [
      h("p", {}, "No functions are published yet."),
      h(
        "p",
        {},
        "Put a file into the functions folder; ",
        h("code", {}, "penstock new hello"),
        " creates one. It is published within two seconds.",
      ),
    ];
  }
}

const lately = (name, kind, read, write) => ({
  name,
  kind,
  value: (item) => read(item.lately),
  draw: (item) => (item.lately ? write(read(item.lately)) : h("span", { class: "none" }, "–")),
});

const COLUMNS = [
  {
    name: "Function",
    kind: "function",
    value: (item) => item.name,
    draw: (item) => h("a", { href: to("functions", item.name) }, item.name),
  },
  {
    name: "Summary",
    kind: "what",
    value: (item) => [
      item.state,
      item.error,
      item.summary,
      item.version,
      item.environment.state,
      elapsedOf(item),
      item.verification,
    ],
    draw: drawSummary,
  },
  { name: "Queue", value: (item) => item.queue, draw: (item) => item.queue },
  lately("Ended", "figure", (one) => one?.ended, count),
  lately("Failed", "figure", (one) => one?.failed, count),
  lately("Failure rate", "figure", (one) => one?.failure_rate, percent),
  lately("Ran p50", "figure", (one) => one?.run_ms?.p50, span),
  lately("Ran p95", "figure", (one) => one?.run_ms?.p95, span),
  {
    name: "Version",
    kind: "id named",
    value: (item) => item.version,
    draw: (item) =>
      item.version ? h("code", {}, item.version.slice(0, 8)) : h("span", { class: "none" }, "none"),
  },
];

function drawSummary(item) {
  if (isUnderWay(item)) {
    const elapsed = h("span", { class: "note" }, `${elapsedOf(item)} `);
    return [badge(item.environment.state), " ", elapsed, item.summary];
  }
  if (item.state === "loading") return h("span", { class: "none" }, "loading");
  if (!item.error)
    return [
      item.summary || h("span", { class: "none" }, "no docstring"),
      " ",
      secretBadge(item),
    ];
  const place = `${item.error.file}${item.error.line ? `:${item.error.line}` : ""}`;
  return [badge("failed"), ` to load: ${item.error.type} in ${place}`];
}
