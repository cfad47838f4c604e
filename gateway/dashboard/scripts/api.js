// The HTTP client of the dashboard: JSON requests and answers; problems become errors.

import { noteAnswer, noteLoss } from "./connection.js";
import { parseExact } from "./exact_json.js";

const LIMIT_MS = 15_000;

/** A problem that the gateway answered (RFC 9457), with its own text. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP status ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.title = problem.title ?? "Error";
    this.errors = problem.errors ?? [];
  }
}

/** Build a path: path("invocations", id, "retry"). */
export function path(...parts) {
  return "/" + parts.map(encodeURIComponent).join("/");
}

/** Add the query parameters that have a value; a list becomes repeated parameters. */
export function withQuery(address, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one) query.append(name, one);
  }
  const text = query.toString();
  return text ? `${address}?${text}` : address;
}

/** GET a JSON value. */
export function get(address, signal) {
  return ask("GET", address, { signal });
}

/** GET a JSON value, or null if the session's key does not have the scope (403). */
export async function getIfAllowed(address, signal) {
  try {
    return await get(address, signal);
  } catch (error) {
    if (error.status === 403) return null;
    throw error;
  }
}

/** Send a request. `body` is text, bytes, or a value for JSON; the default type is JSON. */
export async function ask(method, address, { body, headers = {}, signal } = {}) {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const given = new Headers({ Accept: "application/json", ...headers });
  if (body !== undefined && !given.has("Content-Type"))
    given.set("Content-Type", "application/json");
  const isReady = body === undefined || typeof body === "string" || body instanceof Uint8Array;
  const response = await reach(address, {
    method,
    headers: given,
    body: isReady ? body : JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  });
  const text = await response.text();
  const value = read(text);
  if (response.ok) return value;
  if (response.status === 401) document.dispatchEvent(new Event("penstock:unauthenticated"));
  throw new ApiError(response.status, value ?? {});
}

async function reach(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name !== "AbortError") noteLoss("The gateway does not answer");
    throw error;
  }
  if (response.status === 503 && options.method === "GET")
    noteLoss("The gateway cannot reach Redis");
  else noteAnswer();
  return response;
}

function read(text) {
  if (!text) return null;
  try {
    return parseExact(text);
  } catch {
    return null;
  }
}
