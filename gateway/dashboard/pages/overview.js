// The overview: what is wrong, if anything, and the statistics of the whole system.

import { get, withQuery } from "../scripts/api.js";
import { h, redraw } from "../scripts/element.js";
import { compact, count, many, percent } from "../scripts/figures.js";
import { roughly, span } from "../scripts/moments.js";
import { poll } from "../scripts/poll.js";
import { keepQuery, to } from "../scripts/router.js";
import { makeInvocationTable } from "../parts/invocation_table.js";
import { makeQueueTable } from "../parts/queue_table.js";
import { makeStatisticsCharts } from "../parts/statistics_charts.js";
import { makeTable } from "../parts/table.js";

const EVERY_MS = 2000;
const WINDOWS = { 60: "1 hour", 360: "6 hours", 1440: "24 hours" };

export async function show(view, route, signal) {
  let minutes = route.query.get("minutes") in WINDOWS ? route.query.get("minutes") : "60";
  const alarms = h("div", { class: "alarms" });
  const setAside = h("div", { class: "alarms" });
  const figures = h("dl", { class: "figures" });
  const charts = makeStatisticsCharts();
  const failing = failingTable();
  const latest = makeInvocationTable({
    caption: "Latest failures",
    empty: "No failures lately.",
    without: ["Waited", "Ran", "Attempt", "Status"],
  });
  const queues = makeQueueTable({ withActions: false });
  const windows = h(
    "select",
    { "aria-label": "Period of the charts", onchange: change },
    Object.entries(WINDOWS).map(([value, name]) => h("option", { value }, name)),
  );
  windows.value = minutes;
  let turn = 0;
  let statistics;
  let failures;

  function change() {
    minutes = windows.value;
    keepQuery(minutes === "60" ? {} : { minutes });
    turn = 0;
    refresh();
  }

  // Long periods and lists change slowly, so they are requested less often.
  async function look() {
    const isTurn = (every) => turn % every === 0;
    const wanted = minutes;
    const [queueList, workerList, functionList, quarantine] = await Promise.all([
      get("/queues", signal),
      get("/workers", signal),
      isTurn(5) ? get("/functions", signal) : null,
      isTurn(5) ? get("/quarantine", signal) : null,
    ]);
    if (isTurn(minutes === "60" ? 2 : 15))
      statistics = await get(withQuery("/statistics", { minutes: wanted }), signal);
    if (isTurn(3)) failures = await get("/invocations?status=failed&limit=8", signal);
    turn += 1;
    if (functionList) drawAlarms(alarms, functionList.items);
    if (quarantine) drawQuarantine(setAside, quarantine);
    drawFigures(figures, statistics, queueList.items, workerList.items);
    charts.show(statistics.points);
    failing.show(statistics.failing.slice(0, 8));
    latest.show(failures.items);
    queues.show(queueList.items);
  }

  await look();
  view.append(
    h(
      "div",
      { class: "page-head" },
      h("h1", {}, "Overview"),
      h("div", { class: "page-tools" }, windows),
    ),
    alarms,
    setAside,
    figures,
    charts.element,
    h(
      "div",
      { class: "columns" },
      h(
        "div",
        {},
        h(
          "section",
          { class: "panel" },
          h("h2", {}, "Most failures ", h("span", { class: "note" }, "last 10 minutes")),
          failing.element,
        ),
        h("section", { class: "panel" }, h("h2", {}, "Queues"), queues.element),
      ),
      h(
        "section",
        { class: "panel" },
        h(
          "h2",
          {},
          "Latest failures ",
          h("a", { class: "all", href: `${to("invocations")}?status=failed` }, "Show all"),
        ),
        latest.element,
      ),
    ),
  );
  const refresh = poll(look, EVERY_MS, signal);
}

function drawFigures(place, statistics, queues, workers) {
  const points = statistics.points;
  const lastMinute = points.at(-2) ?? points.at(-1);
  const recent = sumOf(statistics.failing);
  const sum = (name) => queues.reduce((total, queue) => total + queue[name], 0);
  const oldest = Math.max(-1, ...queues.map((queue) => queue.oldest_ms ?? -1));
  const busy = workers.filter((worker) => worker.running.length > 0).length;
  const value = [
    ["Calls per minute", compact(Math.round(lastMinute.ended / statistics.step_minutes)), ""],
    ["Failed, last 10 min", count(recent), recent ? "bad" : ""],
    [`Failure rate, ${WINDOWS[statistics.minutes]}`, percent(statistics.total.failure_rate), ""],
    ["Waiting", compact(sum("depth")), ""],
    ["Oldest waiting", roughly(oldest < 0 ? null : oldest), oldest > 60_000 ? "bad" : ""],
    ["Running", compact(sum("in_flight")), ""],
    ["Workers busy", `${busy} of ${workers.length}`, workers.length === 0 ? "bad" : ""],
  ];
  redraw(place, value, () =>
    value.map(([name, said, kind]) =>
      h("div", { class: kind }, h("dt", {}, name), h("dd", {}, said)),
    ),
  );
}

function sumOf(failing) {
  return failing.reduce((total, one) => total + one.failed, 0);
}

function drawAlarms(place, functions) {
  const broken = functions
    .filter((one) => one.error)
    .map((one) => ({ name: one.name, error: one.error, version: one.version }));
  redraw(place, broken, () =>
    broken.length === 0
      ? null
      : h(
          "div",
          { class: "alarm", role: "alert" },
          h("strong", {}, `${many(broken.length, "function does", "functions do")} not load: `),
          broken.map((one, i) => [
            i ? ", " : "",
            h("a", { href: to("functions", one.name) }, one.name),
            one.version ? " (the previous version serves calls)" : " (calls are refused)",
          ]),
        ),
  );
}

function drawQuarantine(place, { count: total, items }) {
  redraw(place, { total, items: items.slice(0, 3) }, () =>
    total === 0
      ? null
      : h(
          "div",
          { class: "alarm", role: "alert" },
          h("strong", {}, `${many(total, "invocation is", "invocations are")} in quarantine: `),
          "their records are missing or damaged. ",
          items.slice(0, 3).map((one, i) => [
            i ? ", " : "Latest: ",
            h("a", { href: to("invocations", one.id), title: one.reason }, one.function || one.id),
          ]),
        ),
  );
}

function failingTable() {
  return makeTable({
    caption: "Functions with the most failures",
    key: (item) => item.name,
    empty: "No failures in the last 10 minutes.",
    columns: [
      {
        name: "Function",
        kind: "function",
        value: (item) => item.name,
        draw: (item) => h("a", { href: to("functions", item.name) }, item.name),
      },
      {
        name: "Failed",
        kind: "figure",
        value: (item) => item.failed,
        draw: (item) =>
          h(
            "a",
            {
              href: `${to("invocations")}?status=failed&function=${encodeURIComponent(item.name)}`,
            },
            count(item.failed),
          ),
      },
      {
        name: "Ended",
        kind: "figure",
        value: (item) => item.ended,
        draw: (item) => count(item.ended),
      },
      {
        name: "Failure rate",
        kind: "figure",
        value: (item) => item.failure_rate,
        draw: (item) => percent(item.failure_rate),
      },
      {
        name: "Ran p95",
        kind: "figure",
        value: (item) => item.run_ms,
        draw: (item) => span(item.run_ms?.p95),
      },
    ],
  });
}
