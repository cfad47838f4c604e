// The table of all workers' runner processes, and how full each is.

import { fill, h } from "../scripts/element.js";
import { count } from "../scripts/figures.js";
import { to } from "../scripts/router.js";
import { makeTable } from "./table.js";

const MOST_ROWS = 60; // in total; busy runners are always shown, even above this

/** Make the panel: {element, show(workers)}; hidden while no worker reports its runners. */
export function makeRunnerTable() {
  const table = makeTable({
    caption: "Runners",
    key: (runner) => `${runner.worker} ${runner.pid}`,
    empty: "No runners yet; the first call starts one.",
    columns: COLUMNS,
  });
  const rest = h("p", { class: "note" });
  const element = h(
    "section",
    { class: "panel", data: { key: "runners" } },
    h(
      "h2",
      {},
      "Runners ",
      h("span", { class: "note" }, "processes that run functions, one function at a time"),
    ),
    table.element,
    rest,
  );

  function show(workers) {
    element.hidden = !workers.some((worker) => worker.max_in_flight !== null);
    const runners = workers.flatMap((worker) =>
      worker.runners.map((runner) => ({ ...runner, worker: worker.id })),
    );
    const busy = runners.filter((runner) => runner.in_flight > 0).length;
    let idleRoom = Math.max(0, MOST_ROWS - busy);
    const shown = runners.filter((runner) => runner.in_flight > 0 || idleRoom-- > 0);
    table.show(shown);
    const hidden = runners.length - shown.length;
    rest.hidden = hidden === 0;
    fill(rest, `and ${count(hidden)} more idle ${hidden === 1 ? "runner" : "runners"}`);
  }

  return { element, show };
}

const COLUMNS = [
  {
    name: "Function",
    kind: "function",
    value: (runner) => runner.function,
    draw: (runner) =>
      runner.function
        ? h("a", { href: to("functions", runner.function) }, runner.function)
        : h("span", { class: "none" }, runner.version ? "none now" : "none yet"),
  },
  {
    name: "In flight",
    kind: "figure",
    value: (runner) => [runner.in_flight, runner.window],
    draw: drawLoad,
  },
  {
    name: "Version",
    kind: "named",
    value: (runner) => runner.version,
    draw: (runner) => (runner.version ? h("code", {}, runner.version) : "–"),
  },
  {
    name: "Process",
    kind: "figure",
    value: (runner) => runner.pid,
    draw: (runner) => runner.pid,
  },
  {
    name: "Worker",
    kind: "named",
    value: (runner) => runner.worker,
    draw: (runner) => h("code", {}, runner.worker),
  },
];

function drawLoad({ in_flight: held, window: most }) {
  const said = held ? `${count(held)} of ${count(most)}` : "idle";
  return [
    h("span", held ? {} : { class: "none" }, said),
    " ",
    h("progress", { class: "load", max: most, value: Math.min(held, most), "aria-hidden": "true" }),
  ];
}
