// The list of workers: what each runs now, and how full its runners are.

import { get } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { count, many, size } from "../scripts/figures.js";
import { ago, span } from "../scripts/moments.js";
import { poll } from "../scripts/poll.js";
import { to } from "../scripts/router.js";
import { shortId } from "../parts/invocation_table.js";
import { makeCheckView } from "../parts/check_view.js";
import { makeEnvironmentTable } from "../parts/environment_table.js";
import { makeRunnerTable } from "../parts/runner_table.js";
import { prose } from "../parts/safe_text.js";
import { makeTable } from "../parts/table.js";

const EVERY_MS = 2000;
const MOST_NAMED = 5; // running functions of a worker that are listed by name

export async function show(view, _, signal) {
  const table = makeTable({
    caption: "Workers",
    key: (worker) => worker.id,
    empty: [
      h("p", {}, "No worker is alive; calls are accepted and wait."),
      h(
        "p",
        {},
        prose("`penstock up` starts workers itself; otherwise start the process `worker` of the Procfile."),
      ),
    ],
    columns: COLUMNS,
  });
  const runners = makeRunnerTable();
  const check = makeCheckView();
  const environments = makeEnvironmentTable(() => refresh());
  const look = async () => {
    const [workers, present] = await Promise.all([
      get("/workers", signal),
      get("/environments", signal),
      check.look(signal),
    ]);
    table.show(workers.items);
    runners.show(workers.items);
    environments.show(present.items);
  };
  await look();
  view.append(
    h("div", { class: "page-head" }, h("h1", {}, "Workers")),
    h(
      "p",
      { class: "lead" },
      "A worker whose heartbeats stop soon leaves this list, and other workers take over its attempts.",
    ),
    h("section", { class: "panel" }, table.element),
    runners.element,
    environments.element,
    check.element,
  );
  const refresh = poll(look, EVERY_MS, signal);
}

const COLUMNS = [
  {
    name: "Worker",
    kind: "function",
    value: (worker) => [worker.id, worker.host, worker.pid, environmentsOf(worker)],
    draw: (worker) => [
      h("code", {}, worker.id),
      h("div", { class: "note" }, `process ${worker.pid} on ${worker.host}`),
      environmentsOf(worker) ? h("div", { class: "note" }, environmentsOf(worker)) : null,
    ],
  },
  {
    name: "Queues",
    value: (worker) => worker.queues,
    draw: (worker) => worker.queues?.join(", ") || "all",
  },
  {
    name: "Started",
    kind: "when",
    value: (worker) => worker.started_at,
    draw: (worker) => ago(worker.started_at),
  },
  {
    name: "Last seen",
    kind: "when",
    value: (worker) => worker.last_seen_at,
    draw: (worker) => ago(worker.last_seen_at),
  },
  {
    name: "Memory",
    kind: "figure",
    value: (worker) => size(worker.memory_bytes),
    draw: (worker) => size(worker.memory_bytes),
  },
  {
    name: "In flight",
    kind: "figure",
    value: (worker) => [worker.in_flight, worker.max_in_flight],
    draw: (worker) =>
      worker.max_in_flight === null
        ? count(worker.in_flight)
        : `${count(worker.in_flight)} of ${count(worker.max_in_flight)}`,
  },
  {
    name: "Loop lag",
    kind: "figure",
    value: (worker) => span(worker.loop?.lag_ms_max),
    draw: (worker) => span(worker.loop?.lag_ms_max),
  },
  {
    name: "Functions",
    kind: "named",
    value: (worker) => [worker.publishes, worker.functions],
    draw: drawFolder,
  },
  {
    name: "Running",
    kind: "what",
    value: (worker) => [worker.running.slice(0, MOST_NAMED), worker.in_flight],
    draw: drawRunning,
  },
];

function environmentsOf({ environments: { ready, building } }) {
  if (ready.length === 0 && building === 0) return "";
  const said = `${many(ready.length, "environment")} ready`;
  return building ? `${said}, ${count(building)} building` : said;
}

const SAID = {
  published: "same files",
  differs: "other files",
  empty: "no files",
  absent: "no folder",
  unknown: "",
};

function drawFolder(worker) {
  const folder = worker.functions;
  if (worker.publishes && folder.state === "published") return "publishes";
  const said = [worker.publishes ? "publishes" : "", SAID[folder.state] ?? folder.state];
  const text = said.filter(Boolean).join(", ");
  if (folder.state !== "differs" && folder.state !== "empty") return text || "–";
  return [
    h("strong", {}, text),
    h("p", { class: "note" }, `differs from what is published: ${folder.differing.join(", ")}`),
    h("p", { class: "note" }, "to publish it: ", h("code", {}, `penstock publish --worker ${worker.id}`)),
  ];
}

function drawRunning({ running, in_flight: held }) {
  if (running.length === 0 && held === 0) return h("span", { class: "none" }, "idle");
  const named = running.slice(0, MOST_NAMED);
  const more = held - named.length;
  const rest = `${count(more)} ${named.length ? "more" : "not started"}`;
  return h(
    "ul",
    { class: "plain" },
    named.map((one) =>
      h(
        "li",
        {},
        h("a", { href: to("functions", one.function) }, one.function),
        " ",
        h(
          "a",
          { href: to("invocations", one.id), class: "id", title: one.id, data: { key: one.id } },
          shortId(one.id),
        ),
        " ",
        h("span", { class: "note" }, ago(one.started_at)),
      ),
    ),
    more > 0 ? h("li", {}, h("a", { href: `${to("invocations")}?status=running` }, rest)) : null,
  );
}
