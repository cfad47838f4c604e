// An HTTP response of a function: its status, headers and body.

import { h } from "../scripts/element.js";
import { contentView } from "./content_view.js";
import { isolated } from "./safe_text.js";

/** Show a response; `headers` is a list of [name, value], `content` is what `contentView` takes. */
export function responseView({ status, reason, headers, content }, { name, signal, beside }) {
  const mediaType = headers.find(([one]) => one.toLowerCase() === "content-type")?.[1] ?? "";
  return h(
    "div",
    { class: "response" },
    h("p", {}, statusBadge(status, reason), beside),
    headers.length
      ? h(
          "dl",
          { class: "headers" },
          headers.map(([one, value]) => [
            h("dt", {}, isolated(one)),
            h("dd", {}, isolated(String(value), 300)),
          ]),
        )
      : null,
    contentView(content, mediaType, { name, signal }),
  );
}

/** An HTTP status as a badge. */
export function statusBadge(status, reason = "") {
  const tone = status < 300 ? "succeeded" : status < 400 ? "running" : "failed";
  return h("span", { class: `badge ${tone}` }, `${status} ${reason}`.trim());
}
