// A call as a curl command.

import { path } from "../scripts/api.js";
import { queryOf, repeatable } from "./request_view.js";

/** Return the curl command that repeats this call. */
export function curlOf(invocation) {
  const { request } = invocation;
  const address = location.origin + path("functions", invocation.function);
  const query = request && queryOf(request);
  const words = ["curl", "-sS", "-X", "POST", query ? `${address}?${query}` : address];
  if (request) {
    for (const [name, value] of repeatable(request).headers) words.push("-H", `${name}: ${value}`);
  } else {
    words.push("-H", "Content-Type: application/json");
  }
  words.push("-H", "Prefer: wait=30");
  const body = request ? request.body_encoding === "text" && request.body : invocation.arguments;
  if (request && body) words.push("--data-raw", body);
  if (!request) words.push("--data-raw", JSON.stringify(body));
  return words.map(quote).join(" ");
}

function quote(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
