// The HTTP request that a function received, as it was sent; the gateway masks secrets.

import { h } from "../scripts/element.js";
import { size } from "../scripts/figures.js";
import { block, isolated } from "./safe_text.js";

// Headers that a browser or the gateway sets, and those that belong to one call or connection only.
const NOT_REPEATED =
  /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept-encoding|origin|referer|user-agent|prefer|idempotency-key|traceparent|tracestate|x-call-id|x-start-time|via|forwarded|x-forwarded-.*|sec-.*|proxy-.*)$/i;
const MASK = "***";

/** Show a request; a body that is too long is not shown. */
export function requestView(request) {
  return h(
    "div",
    { class: "request" },
    h("p", {}, h("code", {}, request.method, " ", isolated(targetOf(request)))),
    h(
      "dl",
      { class: "headers" },
      Object.entries(request.headers).map(([name, value]) => [
        h("dt", {}, isolated(name)),
        h("dd", {}, isolated(String(value))),
      ]),
    ),
    bodyView(request),
  );
}

function bodyView(request) {
  if (request.body_omitted)
    return h("p", { class: "hint" }, `The body (${size(request.body_bytes)}) is too long to show.`);
  if (request.body === null) return h("p", { class: "hint" }, "No body.");
  if (request.body_encoding === "text") return block(request.body);
  return [h("p", { class: "hint" }, `${size(request.body_bytes)} in base64:`), block(request.body)];
}

/** Return the path with its query, as requested. */
export function targetOf(request) {
  const query = queryOf(request);
  return query ? `${request.path}?${query}` : request.path;
}

/** Return what follows the function's name in the path; "" if nothing does. */
export function belowOf(request) {
  const below = /^\/+(?:async-)?function\/[^/]+(\/.*)?$/.exec(request.path);
  return below?.[1] ?? "";
}

/** Return the query as text. */
export function queryOf(request) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query))
    for (const one of [value].flat()) query.append(name, one);
  return query.toString();
}

/** Return the headers and the query to repeat a request with, and the names of masked values. */
export function repeatable(request) {
  const headers = [];
  const masked = [];
  for (const [name, value] of Object.entries(request.headers)) {
    if (NOT_REPEATED.test(name)) continue;
    if (value === MASK) masked.push(name);
    else headers.push([name, String(value)]);
  }
  const query = {};
  for (const [name, value] of Object.entries(request.query))
    if ([value].flat().includes(MASK)) masked.push(`?${name}`);
    else query[name] = value;
  return { headers, query, masked };
}
