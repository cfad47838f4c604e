// The form for a function that takes the whole HTTP request: query, headers and body.

import { ask, path } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { whileBusy } from "./action.js";
import { queryOf, repeatable } from "./request_view.js";

/** Make the form, filled from `request`; calls `onAccepted(invocation)`. */
export function makeRequestForm(definition, request, onAccepted) {
  const { headers, query: shown, masked } = repeatable(request);
  const query = h("input", { id: "request-query", type: "text", autocomplete: "off" });
  const fields = h("textarea", { id: "request-headers", class: "code", rows: 6 });
  const body = h("textarea", { id: "request-body", class: "code", rows: 10, spellcheck: "false" });
  query.value = queryOf({ query: shown });
  fields.value = headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  body.value = request.body ?? "";
  const isBase64 = request.body_encoding === "base64";
  const problem = h("p", { class: "field-problem", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "primary", data: { key: "invoke" } }, "Send");
  const form = h(
    "form",
    { class: "invoke-form", novalidate: true },
    h(
      "div",
      { class: "fields" },
      field("request-query", "Query", query),
      field("request-headers", "Headers, one per line", fields),
      field("request-body", isBase64 ? "Body in base64" : "Body", body),
    ),
    hints(masked, request),
    problem,
    h("p", { class: "actions" }, submit),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, async () => {
      problem.hidden = true;
      try {
        const address = path("functions", definition.name);
        const target = query.value ? `${address}?${query.value.replace(/^\?/, "")}` : address;
        const content = isBase64 ? bytesOf(body.value) : body.value;
        onAccepted(await ask("POST", target, { body: content, headers: readHeaders(fields.value) }));
      } catch (error) {
        problem.textContent = error.message;
        problem.hidden = false;
      }
    });
  });
  return form;
}

function field(id, label, input) {
  return h("div", { class: "field" }, h("label", { for: id }, label), input);
}

function hints(masked, request) {
  const said = [];
  if (masked.length)
    said.push(`Secrets are not shown; enter them again if needed: ${masked.join(", ")}.`);
  if (request.body_omitted)
    said.push("The body is too long to edit here; Retry repeats the request unchanged.");
  return said.map((text) => h("p", { class: "hint" }, text));
}

function readHeaders(text) {
  const headers = {};
  for (const line of text.split("\n")) {
    if (!line.trim()) continue;
    const at = line.indexOf(":");
    if (at < 1) throw new Error(`Write a header as "Name: value", not "${line}".`);
    headers[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return headers;
}

function bytesOf(text) {
  try {
    return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  } catch {
    throw new Error("The body is not base64.");
  }
}
