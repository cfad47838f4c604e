// The result of an invocation: JSON as a tree, an HTTP response with its headers, bytes as a
// download, images with a preview.

import { path } from "../scripts/api.js";
import { bytesOf } from "../scripts/base64.js";
import { fill, h } from "../scripts/element.js";
import { downloadLine, isPicture, picture, plain } from "./content_view.js";
import { jsonView } from "./json_view.js";
import { responseView } from "./response_view.js";
import { block } from "./safe_text.js";

/** Show the result of a successful invocation. */
export function resultView(invocation, signal) {
  const { result } = invocation;
  const response = readResponse(result);
  const place = h("div", { class: "result" });
  if (typeof result === "string" || invocation.result_omitted) drawByKind(place, invocation, signal);
  else if (response) fill(place, responseView(response, { name: nameOf(invocation), signal }));
  else fill(place, jsonView(result));
  return place;
}

// The record does not say it, so an object with just the members of a response is taken for one.
function readResponse(result) {
  if (!isObject(result)) return null;
  const { status, headers, body, body_encoding: encoding, ...others } = result;
  const isStatus = Number.isInteger(status) && status >= 200 && status <= 599;
  if (!isStatus || !isObject(headers) || body === undefined || Object.keys(others).length)
    return null;
  try {
    const content = encoding === undefined ? body : bytesOf(body);
    return { status, headers: Object.entries(headers), content };
  } catch {
    return null;
  }
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

async function drawByKind(place, invocation, signal) {
  const address = path("invocations", invocation.id, "result");
  const { result } = invocation;
  const mediaType = await readMediaType(address, signal);
  if (signal.aborted) return;
  if (typeof result === "string" && (mediaType === "" || plain(mediaType) === "application/json")) {
    fill(place, block(result));
    return;
  }
  const bytes = typeof result === "string" ? Math.floor((result.length * 3) / 4) : null;
  fill(place, downloadLine(mediaType || "JSON", bytes, address, nameOf(invocation)));
  if (!isPicture(mediaType)) return;
  const content = await (await fetch(address, { signal })).arrayBuffer();
  place.append(...[picture(new Uint8Array(content), mediaType, signal)].filter(Boolean));
}

async function readMediaType(address, signal) {
  try {
    const answer = await fetch(address, { method: "HEAD", signal });
    return answer.headers.get("Content-Type") ?? "";
  } catch {
    return "";
  }
}

function nameOf(invocation) {
  return `${invocation.function}-${invocation.id}`;
}
