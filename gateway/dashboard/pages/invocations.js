// The list of invocations: filtered, newest first, live; with bulk actions on all that match.

import { get, withQuery } from "../scripts/api.js";
import { fill, h } from "../scripts/element.js";
import { announce } from "../scripts/notices.js";
import { poll } from "../scripts/poll.js";
import { keepQuery } from "../scripts/router.js";
import { actionButton, whileBusy } from "../parts/action.js";
import { doToAll } from "../parts/bulk.js";
import { describeFilter, makeFilterForm, queryOf, readFilter } from "../parts/filters.js";
import { makeInvocationTable } from "../parts/invocation_table.js";
import { ENDED, isEnded, LIVE } from "../parts/status_badge.js";

const EVERY_MS = 2000;
const PAGE = 50;
const MOST_LOOKS = 10;
// In the order in which invocations move on, so that those that do so meanwhile are found again.
const UNFINISHED = ["scheduled", "retrying", "queued", "running"];

export async function show(view, { query }, signal) {
  let filter = readFilter(query);
  let older = [];
  let asked = null;
  let cursor = null;
  const table = makeInvocationTable({ caption: "Invocations", empty: nothing });
  const problem = h("p", { class: "field-problem", role: "alert", hidden: true });
  const state = h("span", { class: "note", role: "status" });
  const more = h(
    "button",
    { type: "button", onclick: () => whileBusy(more, showOlder) },
    "Show older",
  );
  const live = h(
    "button",
    { type: "button", class: "quiet", hidden: true, onclick: () => restart() },
    "Back to live",
  );
  const bulk = h("div", { class: "page-tools" });
  const functions = await get("/functions", signal);

  // Live while only the newest are shown; with older pages, the list stops so that it can be read.
  async function look() {
    if (older.length) return;
    const wanted = filter;
    const query = queryOf(wanted);
    try {
      const page = await collect(query, null, signal);
      if (wanted !== filter || older.length) return;
      problem.hidden = true;
      if (isHeld()) {
        drawHeld(page.items);
      } else {
        asked = query;
        draw(page.items, page.next);
      }
    } catch (error) {
      if (error.status !== 422) throw error;
      problem.textContent = error.message;
      problem.hidden = false;
      draw([], null);
    }
  }

  let newest = [];
  function draw(items, next) {
    newest = items;
    cursor = next;
    table.show([...newest, ...older]);
    more.hidden = cursor === null;
    live.hidden = older.length === 0;
    state.textContent = older.length
      ? `${newest.length + older.length} shown, not live`
      : "Live";
  }

  // Rows do not move while the pointer or the focus is on the table.
  function isHeld() {
    const body = table.element.querySelector("tbody");
    return newest.length > 0 && (body.matches(":hover") || body.contains(document.activeElement));
  }

  function drawHeld(items) {
    const fresh = new Map(items.map((item) => [item.id, item]));
    const held = newest.map((item) => fresh.get(item.id) ?? item);
    const added = items.filter((item) => !newest.some((one) => one.id === item.id)).length;
    table.show(held);
    state.textContent = added
      ? `Paused while you point at it; ${added === items.length ? `${added} or more` : added} newer`
      : "Live";
  }

  async function showOlder() {
    const page = await collect(asked, cursor, signal);
    older.push(...page.items);
    draw(newest, page.next);
    announce(`${page.items.length} older invocations shown`);
  }

  function restart() {
    older = [];
    refresh();
  }

  function change(next) {
    filter = next;
    keepQuery(filter);
    drawBulk();
    restart();
  }

  function drawBulk() {
    const ended = isEnded(filter.status) ? filter.status : "failed";
    const living = LIVE.includes(filter.status) ? [filter.status] : UNFINISHED;
    fill(
      bulk,
      LIVE.includes(filter.status)
        ? null
        : actionButton(`Retry all ${ended} …`, () => act("retry", [ended], ended), {
            key: "bulk-retry",
          }),
      ENDED.includes(filter.status)
        ? null
        : actionButton(
            `Cancel all ${filter.status || "unfinished"} …`,
            () => act("cancel", living, filter.status || "unfinished"),
            { kind: "danger", key: "bulk-cancel" },
          ),
    );
  }

  async function act(name, statuses, said) {
    const query = queryOf(filter);
    const queries = statuses.map((status) => ({ ...query, status }));
    await doToAll(name, queries, describeFilter(filter, said), signal);
    restart();
  }

  function nothing() {
    const isFiltered = Object.values(filter).some(Boolean);
    if (isFiltered)
      return "No invocation matches this filter. By default, records are kept for 24 hours after success and 7 days otherwise.";
    return [
      h("p", {}, "Nothing has been invoked yet."),
      h(
        "p",
        {},
        "Invoke a function from its page, or with curl: see ",
        h("a", { href: "/docs" }, "the API reference"),
        ".",
      ),
    ];
  }

  drawBulk();
  await look();
  view.append(
    h("div", { class: "page-head" }, h("h1", {}, "Invocations"), bulk),
    makeFilterForm(
      filter,
      functions.items.map((one) => one.name),
      change,
    ),
    problem,
    h(
      "section",
      { class: "panel" },
      table.element,
      h("p", { class: "actions" }, more, live, state),
    ),
  );
  const refresh = poll(look, EVERY_MS, signal);
}

// A page of the API can be short or empty although there is a next one.
async function collect(query, from, signal) {
  const items = [];
  let cursor = from;
  for (let looks = 0; looks < MOST_LOOKS && items.length < PAGE; looks += 1) {
    const page = await get(
      withQuery("/invocations", { ...query, limit: String(PAGE), cursor }),
      signal,
    );
    items.push(...page.items);
    cursor = page.next;
    if (cursor === null) break;
  }
  return { items, next: cursor };
}
