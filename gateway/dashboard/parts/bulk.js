// Doing one thing to all invocations that pass a filter: counted by the gateway, confirmed with
// the number, then done by the gateway, a part at a time, with a way to stop.

import { ask, get, path, withQuery } from "../scripts/api.js";
import { fill, h } from "../scripts/element.js";
import { count, many } from "../scripts/figures.js";
import { tell, warn } from "../scripts/notices.js";
import { confirm } from "./confirm.js";

const AT_ONCE = 250;

const ACTS = {
  retry: {
    address: "/invocations/retry",
    title: (n) => `Invoke ${n} again?`,
    body: "Each is invoked again with the same arguments. What has been retried already is not among them.",
    yes: (n) => `Retry ${n}`,
    done: (sum) => [`${count(sum.count)} invoked again`],
    left: (sum) =>
      sum.skipped
        ? `${count(sum.skipped)} not: their arguments fit no more, or the function is gone`
        : "",
  },
  cancel: {
    address: "/invocations/cancel",
    title: (n) => `Cancel ${n}?`,
    body: "What waits is cancelled at once; what runs is killed. This cannot be taken back.",
    yes: (n) => `Cancel ${n}`,
    done: (sum) => [
      `${count(sum.cancelled)} cancelled`,
      sum.cancelling ? `, ${count(sum.cancelling)} that run are being cancelled` : "",
    ],
    left: () => "",
  },
};

/**
 * Retry or cancel (`act`) what passes one of `queries`; `describe` says in words which those are.
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
  // What came after the count is left alone.
  const parts = queries.map((query, index) => ({
    query: { ...query, before: counts[index].before },
    most: counts[index].more ? Infinity : counts[index].count,
  }));
  await sweep(ACTS[act], parts, isMore ? null : total);
}

/** Retry what failed of a batch; how much of it was retried already is not known before. */
export async function retryFailed(batch) {
  const failed = many(batch.counts.failed, "failed invocation");
  const answer = await confirm({
    title: "Retry what failed of this batch?",
    body: h("p", {}, `Of ${failed}, each that was not retried yet is invoked again.`),
    yes: "Retry them",
    isDangerous: false,
  });
  const act = { ...ACTS.retry, address: path("batches", batch.id, "retry") };
  if (answer) await sweep(act, [{ query: { status: "failed" }, most: Infinity }], null);
}

/** Cancel what has not ended of a batch, `left` invocations. */
export async function cancelRest(batch, left) {
  const number = many(left, "invocation");
  const answer = await confirm({
    title: ACTS.cancel.title(number),
    body: h("p", {}, `All of this batch that have not ended. ${ACTS.cancel.body}`),
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
  tell(...act.done(sum), stopping.signal.aborted ? ", then stopped." : ".");
  if (act.left(sum)) warn(act.left(sum));
  if (problem) warn(`The rest not: ${problem.message}`);

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
