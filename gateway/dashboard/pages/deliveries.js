// The list of callback deliveries, newest first.

import { get, withQuery } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { count } from "../scripts/figures.js";
import { ago } from "../scripts/moments.js";
import { poll } from "../scripts/poll.js";
import { keepQuery, to } from "../scripts/router.js";
import { actionButton, whileBusy } from "../parts/action.js";
import { answerOf, causeLink, redeliver } from "../parts/delivery_view.js";
import { shortId } from "../parts/invocation_table.js";
import { isolated } from "../parts/safe_text.js";
import { badge } from "../parts/status_badge.js";
import { makeTable } from "../parts/table.js";

const EVERY_MS = 3000;
const STATUSES = ["pending", "delivered", "failed", "stopped"];

export async function show(view, { query }, signal) {
  let status = STATUSES.includes(query.get("status")) ? query.get("status") : "";
  let newest = [];
  let older = [];
  let cursor = null;
  const choice = h(
    "select",
    { id: "delivery-status", onchange: change },
    [["", "any status"], ...STATUSES.map((one) => [one, one])].map(([value, name]) =>
      h("option", { value }, name),
    ),
  );
  choice.value = status;
  const more = h(
    "button",
    { type: "button", onclick: () => whileBusy(more, showOlder) },
    "Show older",
  );
  const table = makeTable({
    caption: "Deliveries",
    key: (item) => item.id,
    empty: nothing,
    columns: columnsOf(() => refresh()),
  });

  function change() {
    status = choice.value;
    keepQuery({ status });
    older = [];
    refresh();
  }

  async function look() {
    if (older.length) return;
    const wanted = status;
    const page = await get(withQuery("/deliveries", { status: wanted, limit: "50" }), signal);
    if (wanted === status && !older.length) draw(page.items, page.next);
  }

  async function showOlder() {
    const page = await get(withQuery("/deliveries", { status, limit: "50", cursor }), signal);
    older.push(...page.items);
    draw(newest, page.next);
  }

  function draw(items, next) {
    newest = items;
    cursor = next;
    table.show([...newest, ...older]);
    more.hidden = cursor === null;
  }

  function nothing() {
    if (status) return `No ${status} deliveries.`;
    return [
      "No callbacks have been requested yet. Send the header ",
      h("code", {}, "X-Callback-Url"),
      " with a call to have its result posted to that URL, signed.",
    ];
  }

  await look();
  view.append(
    h(
      "div",
      { class: "page-head" },
      h("h1", {}, "Deliveries"),
      h(
        "div",
        { class: "page-tools" },
        h("label", { class: "unseen", for: "delivery-status" }, "Status"),
        choice,
      ),
    ),
    h("section", { class: "panel" }, table.element, h("p", { class: "actions" }, more)),
  );
  const refresh = poll(look, EVERY_MS, signal);
}

function columnsOf(afterwards) {
  return [
    {
      name: "Status",
      kind: "status",
      value: (item) => item.status,
      draw: (item) => badge(item.status),
    },
    {
      name: "Delivery",
      kind: "id",
      value: (item) => item.id,
      draw: (item) =>
        h(
          "a",
          { href: to("deliveries", item.id), title: item.id, data: { key: item.id } },
          shortId(item.id),
        ),
    },
    {
      name: "Result of",
      kind: "id named",
      value: (item) => item.invocation ?? item.batch,
      draw: (item) => causeLink(item, shortId),
    },
    { name: "URL", kind: "what", value: (item) => item.url, draw: (item) => isolated(item.url, 60) },
    {
      name: "Attempts",
      kind: "figure",
      value: (item) => item.attempts.length,
      draw: (item) => count(item.attempts.length),
    },
    {
      name: "Last answer",
      kind: "named answer",
      value: (item) => item.attempts.at(-1),
      draw: (item) => lastAnswer(item.attempts.at(-1)),
    },
    {
      name: "Next attempt",
      kind: "when",
      value: (item) => item.next_at,
      draw: (item) => ago(item.next_at),
    },
    {
      name: "Actions",
      kind: "actions",
      value: (item) => item.id,
      draw: (item) =>
        actionButton("Redeliver", () => redeliver(item.id, afterwards), {
          key: `redeliver-${item.id}`,
        }),
    },
  ];
}

function lastAnswer(attempt) {
  if (!attempt) return h("span", { class: "none" }, "not sent yet");
  return [
    answerOf(attempt, 60),
    " ",
    h("span", { class: "note" }, ago(attempt.at)),
  ];
}
