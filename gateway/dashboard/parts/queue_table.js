// The table of queues, with actions.

import { ask, path } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { count, many } from "../scripts/figures.js";
import { roughly } from "../scripts/moments.js";
import { tell } from "../scripts/notices.js";
import { to } from "../scripts/router.js";
import { actionButton } from "./action.js";
import { confirm } from "./confirm.js";
import { badge } from "./status_badge.js";
import { makeTable } from "./table.js";

/**
 * Make the table. With actions it has more columns, and `afterwards` is called after an action.
 */
export function makeQueueTable({ withActions, afterwards }) {
  const columns = [
    {
      name: "Queue",
      kind: "queue",
      value: (queue) => queue.name,
      draw: (queue) => (withActions ? queue.name : h("a", { href: to("queues") }, queue.name)),
    },
    {
      name: "State",
      kind: "status",
      value: (queue) => queue.paused,
      draw: (queue) => badge(queue.paused ? "paused" : "open"),
    },
    figure("Waiting", "depth"),
    {
      name: withActions ? "Oldest waiting" : "Oldest",
      kind: "figure",
      value: (queue) => roughly(queue.oldest_ms),
      draw: (queue) => roughly(queue.oldest_ms),
    },
    figure("Scheduled", "scheduled"),
    figure("Running", "in_flight"),
  ];
  const workers = {
    name: "Workers",
    kind: "figure",
    value: workersOf,
    draw: (queue) => count(workersOf(queue)),
  };
  const acts = {
    name: "Actions",
    kind: "actions",
    value: (queue) => [queue.name, queue.paused],
    draw: (queue) => actions(queue, afterwards),
  };
  if (withActions) columns.push(workers, acts);
  return makeTable({
    caption: "Queues",
    key: (queue) => queue.name,
    empty: "No queues yet; the first call creates one.",
    columns,
  });
}

function actions(queue, afterwards) {
  const { name, paused } = queue;
  const change = async () => {
    await ask("PATCH", path("queues", name), { body: { paused: !paused } });
    tell(
      paused
        ? `${name} was resumed.`
        : `${name} is paused: nothing in it starts; running attempts go on.`,
    );
    afterwards?.();
  };
  const purge = async () => {
    const fresh = await ask("GET", "/queues");
    const now = fresh.items.find((one) => one.name === name) ?? queue;
    const waiting = now.depth + now.scheduled;
    const agreed = await confirm({
      title: `Cancel ${many(waiting, "invocation")} in ${name}?`,
      body: h(
        "p",
        {},
        "All waiting invocations in this queue are cancelled, including those scheduled for later. Running ones go on. This cannot be undone.",
      ),
      yes: `Cancel ${count(waiting)}`,
    });
    if (!agreed) return;
    const answer = await ask("DELETE", path("queues", name, "invocations"));
    tell(`${many(answer.cancelled, "invocation")} in ${name} cancelled.`);
    afterwards?.();
  };
  return [
    actionButton(paused ? "Resume" : "Pause", change, {
      key: `pause-${name}`,
      kind: paused ? "primary" : "",
    }),
    actionButton("Purge …", purge, { key: `purge-${name}`, kind: "danger" }),
  ];
}

function figure(name, field) {
  return {
    name,
    kind: "figure",
    value: (queue) => queue[field],
    draw: (queue) => count(queue[field]),
  };
}

function workersOf(queue) {
  return Array.isArray(queue.workers) ? queue.workers.length : queue.workers;
}
