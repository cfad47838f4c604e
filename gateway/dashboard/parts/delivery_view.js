// A callback's delivery: its URL, its attempts and their answers, and a button to send it again.

import { ask, path } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { ago, at, span } from "../scripts/moments.js";
import { tell } from "../scripts/notices.js";
import { to } from "../scripts/router.js";
import { actionButton } from "./action.js";
import { isolated } from "./safe_text.js";
import { badge } from "./status_badge.js";

/** Draw a delivery; `onChange` is called with it after it is sent again. */
export function deliveryView(delivery, onChange) {
  return h(
    "div",
    { class: "delivery" },
    h(
      "p",
      {},
      badge(delivery.status),
      " to ",
      h("code", {}, isolated(delivery.url, 300)),
      delivery.next_at ? [" · next attempt ", ago(delivery.next_at)] : null,
    ),
    delivery.attempts.length
      ? attempts(delivery.attempts)
      : h("p", { class: "hint" }, "Not sent yet."),
    h(
      "p",
      { class: "actions" },
      actionButton("Redeliver", () => redeliver(delivery.id, onChange), {
        key: `redeliver-${delivery.id}`,
      }),
    ),
  );
}

/** A link to the invocation or batch that the callback reports. */
export function causeLink(delivery, draw = (id) => id) {
  const { batch, invocation } = delivery;
  const [kind, id] = batch ? ["batches", batch] : ["invocations", invocation];
  const link = h("a", { href: to(kind, id), class: "id", title: id }, draw(id));
  return batch ? h("span", {}, "batch ", link) : link;
}

/** Send a delivery again at once. */
export async function redeliver(id, onChange) {
  const fresh = await ask("POST", path("deliveries", id, "redeliver"));
  tell("The callback is being sent again, with the same webhook-id.");
  onChange?.(fresh);
}

/** What the receiver answered, or why there was no answer. */
export function answerOf({ status_code: code, error }, longest) {
  const more = (error ?? "").replace(/^answered \d+(; )?/, "");
  return [code ? h("code", {}, code) : null, " ", isolated(more, longest)];
}

function attempts(all) {
  return h(
    "table",
    { class: "attempts" },
    h("caption", { class: "unseen" }, "Attempts"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Attempt", "At", "Duration", "Answer"].map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      {},
      all.map((one, i) =>
        h(
          "tr",
          {},
          h("td", {}, i + 1),
          h("td", {}, at(one.at)),
          h("td", {}, span(one.duration_ms)),
          h("td", {}, answerOf(one, 300)),
        ),
      ),
    ),
  );
}
