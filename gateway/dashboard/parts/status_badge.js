// A status as a word with a colour and a shape; the word alone is enough to read it.

import { h } from "../scripts/element.js";

export const LIVE = ["scheduled", "queued", "running", "retrying"];
export const ENDED = ["succeeded", "failed", "cancelled", "expired"];

/** Whether a status is final. */
export function isEnded(status) {
  return ENDED.includes(status);
}

/** The badge of a status: of an invocation, a delivery or a queue. */
export function badge(status) {
  return h("span", { class: `badge ${status}` }, status);
}
