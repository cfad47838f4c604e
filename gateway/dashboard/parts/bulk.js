// Bulk actions on all invocations that match a filter: the gateway counts them, the user confirms
// the number, and the gateway acts in portions until it is done or stopped.

import { ask, get, path, withQuery } from "../scripts/api.js";
import { fill, h } from "../scripts/element.js";
import { count, many } from "../scripts/figures.js";
import { tell, warn } from "../scripts/notices.js";
import { confirm } from "./confirm.js";

const AT_ONCE = 250;

const ACTS = {
  retry: {
    address: "/invocations/retry",
    title: (n) => `Retry ${n}?`,
    body: "Each is invoked again with the same arguments. Those already retried are not included.",
    yes: (n) => `Retry ${n}`,
    done: (sum) => [`${count(sum.count)} invoked again`],
    left: (sum) =>
      sum.skipped
        ? `${count(sum.skipped)} skipped: their arguments are no longer valid, or the function is gone or needs a key`
        : "",
  },
  cancel: {
    address: "/invocations/cancel",
    title: (n) => `Cancel ${n}?`,
    body: "Waiting ones are cancelled at once; running ones are stopped. This cannot be undone.",
    yes: (n) => `Cancel ${n}`,
    done: (sum) => [
      `${count(sum.cancelled)} cancelled`,
      sum.cancelling ? `, ${count(sum.cancelling)} running ones are being cancelled` : "",
    ],
    left: () => "",
  },
};

/**
 * Retry or cancel (`act`) what matches one of `queries`; `describe` names them for the user.
 */
export async function doToAll(act, queries, describe, signal) {
  const { address, title, body, yes } = ACTS[act];
  const counts = await Promise.all(queries.map((query) => get(withQuery(address, query), signal)));
  const total = counts.reduce((sum, one) => sum + one.count, 0);
  const isMore = counts.some((one) => one.more);
  if (total === 0 && !isMore) {
    tell(`Nothing to ${act}: there are no ${describe}.`);
    return;
  }
  const number = `${count(total)}${isMore ? " or more" : ""}`;
  const answer = await confirm({
    title: title(isMore ? `${number} invocations` : many(total, "invocation")),
    body: h("p", {}, `All ${describe}. ${body}`),
    yes: yes(isMore ? "all" : number),
    isDangerous: act === "cancel",
  });
  if (!answer) return;
  // Invocations accepted after the count are not touched.
  const parts = queries.map((query, index) => ({
    query: { ...query, before: counts[index].before },
    most: counts[index].more ? Infinity : counts[index].count,
  }));
  await sweep(ACTS[act], parts, isMore ? null : total);
}

/** Retry the failed invocations of a batch; how many were retried before is not known here. */
export async function retryFailed(batch) {
  const failed = many(batch.counts.failed, "failed invocation");
  const answer = await confirm({
    title: "Retry the failed invocations of this batch?",
    body: h("p", {}, `${failed}; those already retried are skipped.`),
    yes: "Retry them",
    isDangerous: false,
  });
  const act = { ...ACTS.retry, address: path("batches", batch.id, "retry") };
  if (answer) await sweep(act, [{ query: { status: "failed" }, most: Infinity }], null);
}

/** Cancel the `left` unfinished invocations of a batch. */
export async function cancelRest(batch, left) {
  const number = many(left, "invocation");
  const answer = await confirm({
    title: ACTS.cancel.title(number),
    body: h("p", {}, `All unfinished invocations of this batch. ${ACTS.cancel.body}`),
    yes: ACTS.cancel.yes(count(left)),
  });
  if (!answer) return;
  const sum = await ask("DELETE", path("batches", batch.id));
  tell(...ACTS.cancel.done(sum), ".");
}

async function sweep(act, parts, total) {
  const stopping = new AbortController();
  const bar = h("progress", { max: total ?? 1, "aria-label": act.address });
  const said = h("span", {}, "…");
  const stop = h("button", { type: "button", onclick: () => stopping.abort() }, "Stop");
  const notice = h("div", { class: "notice" }, bar, said, stop);
  document.getElementById("notices").append(notice);
  const sum = { count: 0, skipped: 0, cancelled: 0, cancelling: 0 };
  let problem = null;
  try {
    for (const part of parts) await sweepOne(act, part, sum, stopping.signal, showDone);
  } catch (error) {
    problem = error;
  }
  notice.remove();
  tell(...act.done(sum), stopping.signal.aborted ? "; stopped." : ".");
  if (act.left(sum)) warn(act.left(sum));
  if (problem) warn(`Not finished: ${problem.message}`);

  function showDone() {
    if (total !== null) bar.value = doneOf(sum);
    fill(said, total === null ? count(doneOf(sum)) : `${count(doneOf(sum))} of ${count(total)}`);
  }
}

async function sweepOne(act, { query, most }, sum, stopping, showDone) {
  const before = doneOf(sum);
  let cursor = null;
  do {
    const left = most - (doneOf(sum) - before);
    if (left <= 0 || stopping.aborted) return;
    const limit = String(Math.min(AT_ONCE, left));
    const answer = await ask("POST", withQuery(act.address, { ...query, limit, cursor }));
    for (const name of Object.keys(sum)) sum[name] += answer[name] ?? 0;
    showDone();
    cursor = answer.next;
  } while (cursor);
}

function doneOf(sum) {
  return sum.count + sum.skipped + sum.cancelled + sum.cancelling;
}
