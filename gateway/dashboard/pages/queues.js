// The list of queues, with buttons to pause, resume and purge them.

import { get } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { poll } from "../scripts/poll.js";
import { makeQueueTable } from "../parts/queue_table.js";

const EVERY_MS = 2000;

export async function show(view, _, signal) {
  const table = makeQueueTable({ withActions: true, afterwards: () => refresh() });
  const look = async () => table.show((await get("/queues", signal)).items);
  await look();
  view.append(
    h("div", { class: "page-head" }, h("h1", {}, "Queues")),
    h(
      "p",
      { class: "lead" },
      "Each function has a queue, in which its calls wait. A paused queue accepts calls but starts none.",
    ),
    h("section", { class: "panel" }, table.element),
  );
  const refresh = poll(look, EVERY_MS, signal);
}
