// One delivery: its URL and its attempts.

import { get, path } from "../scripts/api.js";
import { h, redraw } from "../scripts/element.js";
import { poll } from "../scripts/poll.js";
import { causeLink, deliveryView } from "../parts/delivery_view.js";
import { shortId } from "../parts/invocation_table.js";

const EVERY_MS = 2000;

export async function show(view, { id }, signal) {
  const place = h("section", { class: "panel" });
  const about = h("p", { class: "lead" });
  async function look() {
    const delivery = await get(path("deliveries", id), signal);
    redraw(about, delivery.id, () => ["The result of ", causeLink(delivery), "."]);
    redraw(place, delivery, () => deliveryView(delivery, () => refresh()));
  }
  await look();
  view.append(
    h(
      "div",
      { class: "page-head" },
      h(
        "h1",
        { data: { title: `Delivery ${shortId(id)}` } },
        "Delivery ",
        h("code", { class: "id" }, id),
      ),
    ),
    about,
    place,
  );
  const refresh = poll(look, EVERY_MS, signal);
}
