// One invocation, live from accepted to delivered.

import { ask, getIfAllowed, path } from "../scripts/api.js";
import { h, redraw } from "../scripts/element.js";
import { ago, at, span } from "../scripts/moments.js";
import { announce, tell } from "../scripts/notices.js";
import { poll } from "../scripts/poll.js";
import { go, to } from "../scripts/router.js";
import { actionButton, copy } from "../parts/action.js";
import { confirm } from "../parts/confirm.js";
import { curlOf } from "../parts/curl.js";
import { deliveryView } from "../parts/delivery_view.js";
import { follow } from "../parts/following.js";
import { factList } from "../parts/function_facts.js";
import { shortId } from "../parts/invocation_table.js";
import { jsonView } from "../parts/json_view.js";
import { makeOutput } from "../parts/output.js";
import { requestView } from "../parts/request_view.js";
import { isolated } from "../parts/safe_text.js";
import { badge, isEnded } from "../parts/status_badge.js";
import { timeline } from "../parts/timeline.js";

const DELIVERY_MS = 2000;

export async function show(view, { id }, signal) {
  const head = h("div", { class: "page-head" });
  const facts = h("div", {});
  const line = h("div", {});
  const given = h("div", {});
  const output = makeOutput(signal);
  const callback = h("div", {});
  let told = null;
  let delivery = null;
  let follower = null;
  let status = "";

  function draw(next) {
    told = next;
    const { invocation } = told;
    redraw(head, headValue(invocation), () => drawHead(invocation, () => follower?.look()));
    redraw(facts, invocation, () => factList(factsOf(invocation)));
    drawTimeline();
    redraw(given, [invocation.id], () =>
      invocation.request ? requestView(invocation.request) : jsonView(invocation.arguments),
    );
    output.show(told);
    if (status && status !== invocation.status) announce(`It is ${invocation.status}`);
    status = invocation.status;
  }

  function drawTimeline() {
    const { invocation } = told;
    const isMoving = !isEnded(invocation.status);
    redraw(
      line,
      [invocation.attempts, invocation.status, delivery, isMoving && Math.floor(Date.now() / 1000)],
      () => timeline(invocation, delivery),
    );
  }

  async function lookAtDelivery() {
    const sent = told.invocation.callback;
    if (!isMoving(told.invocation, delivery)) return;
    drawTimeline();
    if (!sent?.delivery) return;
    const found = await getIfAllowed(path("deliveries", sent.delivery), signal);
    if (found) drawDelivery(found);
  }

  function drawDelivery(found) {
    delivery = found;
    redraw(callback, delivery, () => panel("Callback", deliveryView(delivery, drawDelivery)));
    drawTimeline();
  }

  follower = await follow(id, signal, draw);
  await new Promise(requestAnimationFrame);
  // Everything known is drawn at once, so that nothing moves while the page is read.
  await lookAtDelivery().catch(() => {});
  view.append(
    head,
    facts,
    panel("Timeline", line),
    h("div", { class: "columns" }, panel(told.invocation.request ? "Request" : "Arguments", given), output.element),
    callback,
  );
  poll(lookAtDelivery, DELIVERY_MS, signal);
}

function isMoving(invocation, delivery) {
  if (!isEnded(invocation.status)) return true;
  return Boolean(invocation.callback) && (delivery === null || delivery.status === "pending");
}

function headValue(invocation) {
  return [invocation.status, invocation.id, invocation.retried_by, invocation.arguments_omitted];
}

function drawHead(invocation, look) {
  const { id, status } = invocation;
  const isOver = isEnded(status);
  return [
    h(
      "h1",
      { data: { title: `${invocation.function} ${shortId(id)}` } },
      badge(status),
      " ",
      h("a", { href: to("functions", invocation.function) }, invocation.function),
      " ",
      h("code", { class: "id" }, id),
    ),
    h(
      "div",
      { class: "page-tools" },
      isOver
        ? actionButton("Retry", () => retry(id), { kind: status === "succeeded" ? "" : "primary" })
        : null,
      isOver
        ? h(
            "a",
            { class: "button", href: `${to("functions", invocation.function)}?from=${id}#invoke` },
            "Edit and retry",
          )
        : null,
      isOver ? null : actionButton("Cancel", () => cancel(invocation, look), { kind: "danger" }),
      actionButton("Copy id", async () => (await copy(id)) && tell("The id was copied.")),
      actionButton(
        "Copy as curl",
        async () => (await copy(curlOf(invocation))) && tell("The command was copied."),
      ),
    ),
  ];
}

async function retry(id) {
  const again = await ask("POST", path("invocations", id, "retry"));
  tell("Invoked again.");
  go(to("invocations", again.id));
}

async function cancel(invocation, look) {
  if (invocation.status === "running") {
    const agreed = await confirm({
      title: "Cancel the running invocation?",
      body: h("p", {}, "The attempt is stopped. This cannot be undone."),
      yes: "Cancel it",
    });
    if (!agreed) return;
  }
  await ask("DELETE", path("invocations", invocation.id));
  tell("It is being cancelled.");
  await look();
}

function factsOf(invocation) {
  const link = (id) =>
    id && h("a", { class: "id", href: to("invocations", id), title: id }, shortId(id));
  return [
    [
      "Accepted",
      [at(invocation.created_at), " ", h("span", { class: "note" }, ago(invocation.created_at))],
    ],
    [
      "Due",
      invocation.scheduled_for && [
        at(invocation.scheduled_for),
        " ",
        h("span", { class: "note" }, ago(invocation.scheduled_for)),
      ],
    ],
    ["Waited", invocation.queued_ms === null ? null : span(invocation.queued_ms)],
    ["Ran", invocation.duration_ms === null ? null : span(invocation.duration_ms)],
    ["Attempt", invocation.attempt || null],
    ["Queue", invocation.queue],
    ["Worker", invocation.worker],
    ["Version", h("code", {}, invocation.version)],
    [
      "Tags",
      invocation.tags.length
        ? invocation.tags.map((tag) => [h("span", { class: "tag" }, isolated(tag)), " "])
        : null,
    ],
    [
      "Batch",
      invocation.batch &&
        h("a", { class: "id", href: to("batches", invocation.batch) }, shortId(invocation.batch)),
    ],
    ["Retry of", link(invocation.retry_of)],
    ["Retried by", link(invocation.retried_by)],
  ];
}

function panel(title, ...content) {
  return h("section", { class: "panel" }, h("h2", {}, title), content);
}
