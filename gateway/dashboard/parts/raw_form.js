// The form that sends an HTTP request to a function's raw path: method, path, query, headers, body.

import { bytesOf } from "../scripts/base64.js";
import { h } from "../scripts/element.js";
import { sendRaw } from "../scripts/raw_call.js";
import { whileBusy } from "./action.js";
import { belowOf, queryOf, repeatable } from "./request_view.js";
import { prose } from "./safe_text.js";

const WITHOUT_BODY = ["GET", "HEAD"];

/**
 * Make the form, filled from the request `start` of an invocation (if any); calls
 * `onAnswer(answer)` with what `sendRaw` returns.
 */
export function makeRawForm(definition, start, onAnswer, signal) {
  const fields = makeFields(definition.methods);
  const hints = [verificationHint(definition)];
  const isBase64 = start?.body_encoding === "base64";
  if (start) hints.push(...fillIn(fields, start));
  const problem = h("p", { class: "field-problem", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "primary", data: { key: "send" } }, "Send");
  const bodyFields = [
    field(fields.body, isBase64 ? "Body in base64" : "Body"),
    field(fields.file, "Or a file"),
  ];
  const form = h(
    "form",
    { class: "invoke-form", novalidate: true },
    h(
      "div",
      { class: "fields" },
      h(
        "div",
        { class: "request-line" },
        field(fields.method, "Method"),
        field(fields.below, "Path"),
        field(fields.query, "Query"),
      ),
      field(fields.headers, "Headers, one per line"),
      bodyFields,
    ),
    hints.filter(Boolean).map((text) => h("p", { class: "hint" }, prose(text))),
    problem,
    h("p", { class: "actions" }, submit),
  );
  const drawBody = () => {
    for (const one of bodyFields) one.hidden = WITHOUT_BODY.includes(fields.method.value);
  };
  fields.method.addEventListener("change", drawBody);
  drawBody();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, async () => {
      problem.hidden = true;
      try {
        onAnswer(await sendRaw(definition.links.raw, read(fields, isBase64), signal));
      } catch (error) {
        if (signal.aborted) return;
        problem.textContent = error.message;
        problem.hidden = false;
      }
    });
  });
  return form;
}

function makeFields(methods) {
  const all = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  const text = (id, attributes) =>
    h("input", { id, type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
  const lines = (id, rows, attributes) =>
    h("textarea", { id, class: "code", rows, spellcheck: "false", ...attributes });
  const method = h(
    "select",
    { id: "request-method" },
    all.map((one) => h("option", { value: one }, one)),
  );
  if (methods.includes("POST")) method.value = "POST";
  return {
    method,
    below: text("request-path", { placeholder: "/ after the name" }),
    query: text("request-query", { placeholder: "name=value&other=1" }),
    headers: lines("request-headers", 3, { placeholder: "Content-Type: application/json" }),
    body: lines("request-body", 5),
    file: h("input", { id: "request-file", type: "file" }),
  };
}

/** Fill the fields in from a request; returns what the reader has to know. */
function fillIn(fields, request) {
  const { headers, query, masked } = repeatable(request);
  if ([...fields.method.options].some((one) => one.value === request.method))
    fields.method.value = request.method;
  fields.below.value = belowOf(request);
  fields.query.value = queryOf({ query });
  fields.headers.value = headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  fields.body.value = request.body ?? "";
  return [
    masked.length
      ? `Secrets are not shown; enter them again if needed: ${masked.join(", ")}.`
      : "",
    request.body_omitted
      ? "The body is too long to edit here; Retry repeats the request unchanged."
      : "",
  ];
}

function verificationHint({ verification }) {
  if (!verification) return "";
  return (
    `The function verifies webhooks (\`${verification.scheme}\`): without a signature or an API ` +
    "key, the gateway answers 401. A session of the dashboard counts as its key; without one, " +
    "write `Authorization: Bearer …` into the headers."
  );
}

function field(input, label) {
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
}

function read({ method, below, query, headers, body, file }, isBase64) {
  return {
    method: method.value,
    below: below.value.trim(),
    query: query.value.trim(),
    headers: readHeaders(headers.value),
    body: WITHOUT_BODY.includes(method.value) ? undefined : readBody(body.value, file, isBase64),
  };
}

function readBody(text, { files: [file] }, isBase64) {
  if (file) return file;
  if (text === "") return undefined;
  return isBase64 ? bytesOf(text) : text;
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
