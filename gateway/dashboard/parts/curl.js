// A call as a curl command.

import { path } from "../scripts/api.js";
import { belowOf, queryOf, repeatable } from "./request_view.js";

/** Return the curl command that repeats this call; a request goes to the raw path. */
export function curlOf({ function: name, request, arguments: given }) {
  const words = request ? ofRequest(name, request) : ofArguments(name, given);
  return ["curl", "-sS", "-X", ...words].map(quote).join(" ");
}

function ofArguments(name, given) {
  const headers = ["-H", "Content-Type: application/json", "-H", "Prefer: wait=30"];
  const address = location.origin + path("functions", name);
  return ["POST", address, ...headers, "--data-raw", JSON.stringify(given)];
}

function ofRequest(name, request) {
  const query = queryOf(request);
  const address = path("function", name) + encodeURI(belowOf(request)) + (query && `?${query}`);
  const headers = repeatable(request).headers.map(([header, value]) => `${header}: ${value}`);
  const body = request.body_encoding === "text" ? request.body : "";
  return [
    request.method,
    location.origin + address,
    ...headers.flatMap((header) => ["-H", header]),
    ...(body ? ["--data-raw", body] : []),
  ];
}

function quote(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
