// A call of a function's raw path: any method, path, query, headers and body; the answer is the
// function's own. It may have any status, so none is an error here.

import { noteAnswer, noteLoss } from "./connection.js";

/**
 * Send a request below a function's raw path. Returns {status, reason, headers, bytes, durationMs,
 * isRedirect}; a browser does not tell a page anything else of a redirect.
 */
export async function sendRaw(address, { method, below, query, headers, body }, signal) {
  const url = urlOf(address, below, query);
  const request = new Request(url, { method, headers, body, redirect: "manual", signal });
  const withheld = Object.keys(headers).filter((name) => !request.headers.has(name));
  if (withheld.length) throw new Error(`A browser does not let a page send ${withheld.join(", ")}.`);
  const startedAt = performance.now();
  const { response, bytes } = await exchange(request);
  return {
    status: response.status,
    reason: response.statusText,
    headers: [...response.headers],
    bytes,
    durationMs: performance.now() - startedAt,
    isRedirect: response.type === "opaqueredirect",
  };
}

async function exchange(request) {
  try {
    const response = await fetch(request);
    const bytes = new Uint8Array(await response.arrayBuffer());
    noteAnswer();
    return { response, bytes };
  } catch (error) {
    if (error.name !== "AbortError") noteLoss("The gateway does not answer");
    throw error;
  }
}

// The path may come from a request of somebody else: it must not lead to another route.
function urlOf(address, below, query) {
  const url = new URL(address, location.origin);
  const base = url.pathname;
  if (below) url.pathname = `${base}/${below.replace(/^\//, "")}`;
  if (url.pathname !== base && !url.pathname.startsWith(`${base}/`))
    throw new Error("The path must stay below the function: leave out the dots.");
  url.search = query;
  return url;
}
