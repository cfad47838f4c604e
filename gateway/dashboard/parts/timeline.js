// The timeline of an invocation, from accepted to delivered: each step with its time and with a
// bar to scale for how long it took.

import { h } from "../scripts/element.js";
import { at, span } from "../scripts/moments.js";
import { isolated } from "./safe_text.js";

/** Draw the steps of an invocation and of its delivery (or null). */
export function timeline(invocation, delivery) {
  const steps = stepsOf(invocation, delivery);
  const startMs = steps[0].atMs;
  const past = steps
    .map((step) => step.untilMs ?? step.atMs)
    .filter((atMs) => atMs <= Date.now() + 1000);
  const endMs = Math.max(startMs + 1, ...past);
  return h(
    "ol",
    { class: "timeline" },
    steps.map((step) => drawStep(step, startMs, endMs)),
  );
}

function drawStep(step, startMs, endMs) {
  const wholeMs = endMs - startMs;
  const bar = h("span", { class: `bar ${step.kind}` });
  const from = ((step.atMs - startMs) / wholeMs) * 100;
  const width = (((step.untilMs ?? step.atMs) - step.atMs) / wholeMs) * 100;
  bar.style.setProperty("--from", `${Math.min(from, 99.5)}%`);
  bar.style.setProperty("--width", `${Math.max(width, 0.5)}%`);
  const took = step.untilMs === undefined ? "" : span(step.untilMs - step.atMs);
  return h(
    "li",
    { class: step.kind },
    h(
      "span",
      { class: "when" },
      at(step.at),
      h("span", { class: "offset" }, ` +${span(step.atMs - startMs)}`),
    ),
    h("span", { class: "what" }, step.what),
    h("span", { class: "track", "aria-hidden": "true" }, step.atMs <= endMs ? bar : null),
    h("span", { class: "took" }, took),
  );
}

function stepsOf(invocation, delivery) {
  const steps = [step(invocation.created_at, "queued", "Accepted")];
  if (invocation.scheduled_for) {
    const dueMs = Date.parse(invocation.scheduled_for);
    if (dueMs <= Date.now()) {
      steps[0].untilMs = dueMs;
      steps.push(step(invocation.scheduled_for, "queued", "Due"));
    }
  }
  for (const attempt of invocation.attempts ?? []) {
    steps.at(-1).untilMs ??= Date.parse(attempt.started_at);
    steps.push(attemptStep(attempt, invocation));
  }
  addEnding(steps, invocation);
  for (const [i, sent] of (delivery?.attempts ?? []).entries()) {
    const said = sent.status_code ? `answered ${sent.status_code}` : (sent.error ?? "no answer");
    const isGood = sent.status_code >= 200 && sent.status_code < 300;
    const one = step(sent.at, isGood ? "succeeded" : "failed", [
      `Callback ${i + 1}: `,
      isolated(said),
    ]);
    one.untilMs = one.atMs + (sent.duration_ms ?? 0);
    steps.push(one);
  }
  if (delivery?.status === "pending" && delivery.next_at) {
    steps.push(step(delivery.next_at, "scheduled", "Next attempt of the callback"));
  }
  return steps;
}

function attemptStep(attempt, invocation) {
  const outcome = attempt.outcome ?? "running";
  const what = [
    `Attempt ${attempt.attempt} `,
    h("span", { class: "note" }, `on ${attempt.worker ?? "?"}`),
  ];
  if (attempt.error)
    what.push(
      " ",
      isolated(
        `${attempt.error.exception_type ?? attempt.error.type}: ${attempt.error.message ?? ""}`,
      ),
    );
  else if (outcome === "worker_lost") what.push(" the runner or worker died");
  const kind = { worker_lost: "failed", retrying: "retrying" }[outcome] ?? outcome;
  const one = step(attempt.started_at, kind, what);
  one.untilMs = attempt.finished_at ? Date.parse(attempt.finished_at) : Date.now();
  return one;
}

function addEnding(steps, invocation) {
  const { status } = invocation;
  const last = steps.at(-1);
  if (invocation.finished_at) {
    last.untilMs ??= Date.parse(invocation.finished_at);
    steps.push(step(invocation.finished_at, status, status[0].toUpperCase() + status.slice(1)));
    return;
  }
  if (status === "running") return;
  const said = {
    queued: "Waiting for a worker",
    retrying: "Waiting for the next attempt",
    scheduled: "Waiting for its scheduled time",
  };
  const since = new Date(last.untilMs ?? last.atMs).toISOString();
  const wait = step(since, status, said[status] ?? status);
  wait.untilMs = Date.now();
  steps.push(wait);
}

function step(moment, kind, what) {
  return { at: moment, atMs: Date.parse(moment), kind, what };
}
