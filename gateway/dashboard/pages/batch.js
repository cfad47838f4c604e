// One batch: its progress and its invocations.

import { get, path, withQuery } from "../scripts/api.js";
import { h, redraw } from "../scripts/element.js";
import { count } from "../scripts/figures.js";
import { ago, at } from "../scripts/moments.js";
import { poll } from "../scripts/poll.js";
import { to } from "../scripts/router.js";
import { actionButton, whileBusy } from "../parts/action.js";
import { cancelRest, retryFailed } from "../parts/bulk.js";
import { factList } from "../parts/function_facts.js";
import { makeInvocationTable, shortId } from "../parts/invocation_table.js";
import { badge, ENDED, LIVE } from "../parts/status_badge.js";

const EVERY_MS = 2000;
const SHOWN = 50; // invocations per page

export async function show(view, { id }, signal) {
  const facts = h("div", {});
  const tools = h("div", { class: "page-tools" });
  const counts = h("div", { class: "batch-counts" });
  const table = makeInvocationTable({
    caption: "Invocations of the batch",
    empty: "The records of its invocations are no longer kept.",
    without: ["Function"],
  });
  const more = h(
    "button",
    { type: "button", onclick: () => whileBusy(more, showMore) },
    "Show more",
  );
  let first = [];
  let rest = [];
  let cursor = null;

  async function look() {
    const batch = await get(withQuery(path("batches", id), { limit: SHOWN }), signal);
    redraw(facts, batch, () => factList(factsOf(batch)));
    redraw(counts, batch.counts, () => drawCounts(batch));
    redraw(tools, batch.counts, () => drawTools(batch, () => refresh()));
    if (rest.length) return;
    draw(batch.items, batch.next ?? null);
  }

  function draw(items, next) {
    first = items;
    cursor = next;
    table.show([...first, ...rest]);
    more.hidden = cursor === null;
  }

  async function showMore() {
    const page = await get(withQuery(path("batches", id), { limit: SHOWN, cursor }), signal);
    rest.push(...page.items);
    draw(first, page.next);
  }

  await look();
  view.append(
    h(
      "div",
      { class: "page-head" },
      h(
        "h1",
        { data: { title: `Batch ${shortId(id)}` } },
        "Batch ",
        h("code", { class: "id" }, id),
      ),
      tools,
    ),
    facts,
    counts,
    h("section", { class: "panel" }, table.element, h("p", { class: "actions" }, more)),
  );
  const refresh = poll(look, EVERY_MS, signal);
}

function factsOf(batch) {
  return [
    ["Function", h("a", { href: to("functions", batch.function) }, batch.function)],
    ["Size", count(batch.size)],
    ["Accepted", [at(batch.created_at), " ", h("span", { class: "note" }, ago(batch.created_at))]],
    ["Finished", batch.finished_at && at(batch.finished_at)],
    [
      "Callback",
      batch.callback &&
        h("a", { href: to("deliveries", batch.callback.delivery ?? "") }, batch.callback.status),
    ],
  ];
}

function endedOf(batch) {
  return ENDED.reduce((total, one) => total + (batch.counts[one] ?? 0), 0);
}

function drawTools(batch, refresh) {
  const left = batch.size - endedOf(batch);
  return [
    batch.counts.failed
      ? actionButton("Retry failed …", () => retryFailed(batch).then(refresh))
      : null,
    left
      ? actionButton("Cancel the rest …", () => cancelRest(batch, left).then(refresh), {
          kind: "danger",
        })
      : null,
  ];
}

function drawCounts(batch) {
  const ended = endedOf(batch);
  return [
    h("progress", { max: batch.size, value: ended, "aria-label": "Ended" }),
    h("span", {}, `${count(ended)} of ${count(batch.size)} ended`),
    [...ENDED, ...LIVE]
      .filter((one) => batch.counts[one])
      .map((one) => h("span", {}, badge(one), " ", count(batch.counts[one]))),
  ];
}
