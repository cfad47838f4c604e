// Asking the gateway: JSON in, JSON out, problems as errors.

import { noteAnswer, noteLoss } from "./connection.js";
import { parseExact } from "./exact_json.js";

const LIMIT_MS = 15_000;

/** What the gateway refused, in its own words (RFC 9457). */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP status ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.title = problem.title ?? "Error";
    this.errors = problem.errors ?? [];
  }
}

/** Build an address: path("invocations", id, "retry"). */
export function path(...parts) {
  return "/" + parts.map(encodeURIComponent).join("/");
}

/** Add the query parameters that have a value; lists are repeated. */
export function withQuery(address, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one) query.append(name, one);
  }
  const text = query.toString();
  return text ? `${address}?${text}` : address;
}

/** Read JSON. */
export function get(address, signal) {
  return ask("GET", address, { signal });
}

/** Read JSON, or null where the key of this session may not. */
export async function getIfAllowed(address, signal) {
  try {
    return await get(address, signal);
  } catch (error) {
    if (error.status === 403) return null;
    throw error;
  }
}

/** Send a request with an optional body: a value that becomes JSON, text or bytes; JSON if not said. */
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
