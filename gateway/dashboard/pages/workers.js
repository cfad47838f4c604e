// Workers: who is alive, and what each runs now.

import { get } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { size } from "../scripts/figures.js";
import { ago } from "../scripts/moments.js";
import { poll } from "../scripts/poll.js";
import { to } from "../scripts/router.js";
import { shortId } from "../parts/invocation_table.js";
import { makeCheckView } from "../parts/check_view.js";
import { makeTable } from "../parts/table.js";

const EVERY_MS = 2000;

export async function show(view, _, signal) {
  const table = makeTable({
    caption: "Workers",
    key: (worker) => worker.id,
    empty: [
      h("p", {}, "No worker is alive: calls are accepted and wait."),
      h(
        "p",
        {},
        "`penstock up` starts workers by itself; elsewhere see the process called `worker` in the Procfile.",
      ),
    ],
    columns: COLUMNS,
  });
  const check = makeCheckView();
  const look = async () => {
    const [workers] = await Promise.all([get("/workers", signal), check.look(signal)]);
    table.show(workers.items);
  };
  await look();
  view.append(
    h("div", { class: "page-head" }, h("h1", {}, "Workers")),
    h(
      "p",
      { class: "lead" },
      "A worker that is not heard of for a while leaves this list, and others take over what it ran.",
    ),
    h("section", { class: "panel" }, table.element),
    check.element,
  );
  poll(look, EVERY_MS, signal);
}

const COLUMNS = [
  {
    name: "Worker",
    kind: "function",
    value: (worker) => worker.id,
    draw: (worker) => h("code", {}, worker.id),
  },
  { name: "Host", value: (worker) => worker.host, draw: (worker) => worker.host ?? "–" },
  {
    name: "Process",
    kind: "figure",
    value: (worker) => worker.pid,
    draw: (worker) => worker.pid ?? "–",
  },
  {
    name: "Queues",
    value: (worker) => worker.queues,
    draw: (worker) => worker.queues?.join(", ") || "all",
  },
  {
    name: "Since",
    kind: "when",
    value: (worker) => worker.started_at,
    draw: (worker) => ago(worker.started_at),
  },
  {
    name: "Heard of",
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
    name: "Functions",
    kind: "what",
    value: (worker) => [worker.publishes, worker.functions],
    draw: drawFolder,
  },
  {
    name: "Runs now",
    kind: "what",
    value: (worker) => worker.running,
    draw: (worker) => drawRunning(worker.running),
  },
];

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
    h("p", { class: "note" }, `not as published: ${folder.differing.join(", ")}`),
    h("p", { class: "note" }, "to publish them: ", h("code", {}, `penstock publish --worker ${worker.id}`)),
  ];
}

function drawRunning(running) {
  if (running.length === 0) return h("span", { class: "none" }, "idle");
  return h(
    "ul",
    { class: "plain" },
    running.map((one) =>
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
  );
}
