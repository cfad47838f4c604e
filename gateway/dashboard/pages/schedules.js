// The list of schedules, with buttons to pause, resume and fire them.

import { ask, get, path } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { count } from "../scripts/figures.js";
import { ago, at } from "../scripts/moments.js";
import { tell } from "../scripts/notices.js";
import { poll } from "../scripts/poll.js";
import { to } from "../scripts/router.js";
import { actionButton } from "../parts/action.js";
import { shortId } from "../parts/invocation_table.js";
import { badge } from "../parts/status_badge.js";
import { makeTable } from "../parts/table.js";

const EVERY_MS = 4000;

export async function show(view, _, signal) {
  const table = makeTable({
    caption: "Schedules",
    key: (item) => item.id,
    empty: [
      h("p", {}, "No schedules yet."),
      h(
        "p",
        {},
        "Write ",
        h("code", {}, '@function(schedule="0 9 * * mon-fri")'),
        " above a function, or POST to ",
        h("code", {}, "/schedules"),
        ".",
      ),
    ],
    columns: columnsOf(() => refresh()),
  });
  const look = async () => table.show((await get("/schedules?limit=100", signal)).items);
  await look();
  view.append(
    h("div", { class: "page-head" }, h("h1", {}, "Schedules")),
    h("section", { class: "panel" }, table.element),
  );
  const refresh = poll(look, EVERY_MS, signal);
}

function columnsOf(afterwards) {
  return [
    {
      name: "Function",
      kind: "function",
      value: (item) => item.function,
      draw: (item) => h("a", { href: to("functions", item.function) }, item.function),
    },
    {
      name: "Cron",
      value: (item) => [item.cron, item.timezone],
      draw: (item) => [h("code", {}, item.cron), " ", h("span", { class: "note" }, item.timezone)],
    },
    {
      name: "State",
      kind: "status",
      value: (item) => item.paused,
      draw: (item) => badge(item.paused ? "paused" : "active"),
    },
    { name: "Next", kind: "when", value: (item) => item.next, draw: drawNext },
    { name: "Last", kind: "id named", value: (item) => item.last_invocation, draw: drawLast },
    {
      name: "Fired",
      kind: "figure",
      value: (item) => item.fired,
      draw: (item) => count(item.fired ?? null),
    },
    {
      name: "Skipped",
      kind: "figure",
      value: (item) => [item.skipped, item.skips],
      draw: drawSkipped,
    },
    {
      name: "Declared by",
      value: (item) => item.source,
      draw: (item) => (item.source === "decorator" ? "function" : "API"),
    },
    {
      name: "Actions",
      kind: "actions",
      value: (item) => [item.id, item.paused],
      draw: (item) => actions(item, afterwards),
    },
  ];
}

function drawNext(item) {
  const [first, ...rest] = item.next ?? [];
  if (!first) return h("span", { class: "none" }, "–");
  return h(
    "details",
    {},
    h("summary", {}, ago(first)),
    h(
      "ol",
      { class: "plain" },
      [first, ...rest].map((one) => h("li", {}, at(one))),
    ),
  );
}

function drawLast(item) {
  const id = item.last_invocation;
  return id
    ? h("a", { href: to("invocations", id), title: id }, shortId(id))
    : h("span", { class: "none" }, "–");
}

function drawSkipped(item) {
  if (!item.skips?.length) return count(item.skipped ?? null);
  return h(
    "details",
    {},
    h("summary", {}, count(item.skipped)),
    h(
      "ol",
      { class: "plain" },
      item.skips.map((skip) => h("li", {}, at(skip.at), " ", skip.reason)),
    ),
  );
}

function actions(item, afterwards) {
  const pause = async () => {
    await ask("PATCH", path("schedules", item.id), { body: { paused: !item.paused } });
    tell(
      item.paused
        ? `The schedule of ${item.function} was resumed.`
        : `The schedule of ${item.function} is paused.`,
    );
    afterwards();
  };
  const fire = async () => {
    const invocation = await ask("POST", path("schedules", item.id, "fire"));
    tell(
      `${item.function} was invoked: `,
      h("a", { href: to("invocations", invocation.id) }, shortId(invocation.id)),
    );
    afterwards();
  };
  return [
    actionButton(item.paused ? "Resume" : "Pause", pause, {
      key: `pause-${item.id}`,
      kind: item.paused ? "primary" : "",
    }),
    actionButton("Fire now", fire, { key: `fire-${item.id}` }),
  ];
}
