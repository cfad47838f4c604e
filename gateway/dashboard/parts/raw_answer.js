// The answer to a request on a function's raw path, and what the reader has to know of it.

import { h } from "../scripts/element.js";
import { span } from "../scripts/moments.js";
import { to } from "../scripts/router.js";
import { readContent } from "./content_view.js";
import { shortId } from "./invocation_table.js";
import { responseView } from "./response_view.js";

/** Show what `sendRaw` returned for a function. */
export function rawAnswer(answer, definition, signal) {
  return h(
    "section",
    { class: "panel answer" },
    h("h2", {}, "Answer"),
    answer.isRedirect ? redirect() : response(answer, definition, signal),
  );
}

function redirect() {
  return h(
    "p",
    {},
    "The function redirects. A browser does not show a page where to; the latest invocation, ",
    "below, has the answer with its ",
    h("code", {}, "Location"),
    ".",
  );
}

function response({ status, reason, headers, bytes, durationMs }, definition, signal) {
  const find = (wanted) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
  const id = find("x-call-id");
  const isUnsigned = status === 401 && !id && definition.verification;
  const beside = [
    ` in ${span(durationMs)}`,
    id ? [" · ", h("a", { href: to("invocations", id), title: id }, `Invocation ${shortId(id)}`)] : "",
  ];
  return [
    isUnsigned
      ? h(
          "p",
          { class: "warning" },
          "The gateway refused the request: the function verifies webhooks, and takes a call only ",
          "with a right signature or an API key. Nothing was run.",
        )
      : null,
    responseView(
      { status, reason, headers, content: readContent(bytes, find("content-type")) },
      { name: definition.name, signal, beside },
    ),
  ];
}
