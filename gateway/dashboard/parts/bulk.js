// Doing one thing to all invocations that pass a filter: counted first, confirmed with the
// number, then done one by one, with a way to stop.

import { ApiError, ask, get, path, withQuery } from "../scripts/api.js";
import { fill, h } from "../scripts/element.js";
import { count, many } from "../scripts/figures.js";
import { tell, warn } from "../scripts/notices.js";
import { confirm } from "./confirm.js";

const MOST = 5000;
const AT_ONCE = 6;

const ACTS = {
  retry: {
    title: (n) => `Invoke ${n} again?`,
    body: "Each is invoked again with the same arguments. What has been retried already is not among them.",
    yes: (n) => `Retry ${n}`,
    done: (n) => `${n} invoked again`,
    fits: (item) => !item.retried_by,
    send: (id) => ask("POST", path("invocations", id, "retry")),
  },
  cancel: {
    title: (n) => `Cancel ${n}?`,
    body: "What waits is cancelled at once; what runs is killed. This cannot be taken back.",
    yes: (n) => `Cancel ${n}`,
    done: (n) => `${n} cancelled`,
    fits: () => true,
    send: (id) => ask("DELETE", path("invocations", id)),
  },
};

/**
 * Retry or cancel (`act`) what the lists of `queries` hold, within `span` ({passes(item),
 * isPast(item)}); `describe` says in words which those are.
 */
export async function doToAll(act, queries, span, describe, signal) {
  const { title, body, yes, done, fits, send } = ACTS[act];
  const found = await collect(queries, fits, span, signal);
  if (found.ids.length === 0) {
    tell(`Nothing to ${act}: there are no ${describe}.`);
    return;
  }
  const number = many(found.ids.length, "invocation");
  const more = found.isWhole
    ? null
    : h("p", {}, `There are more; these are the ${count(MOST)} newest.`);
  const answer = await confirm({
    title: title(number),
    body: [h("p", {}, `All ${describe}. ${body}`), more],
    yes: yes(count(found.ids.length)),
    isDangerous: act === "cancel",
  });
  if (answer) await sendAll(found.ids, send, done, act);
}

async function collect(queries, fits, span, signal) {
  const ids = [];
  for (const query of queries) {
    let cursor = null;
    do {
      const page = await get(withQuery("/invocations", { ...query, limit: "100", cursor }), signal);
      for (const item of page.items) {
        if (span.passes(item) && fits(item)) ids.push(item.id);
        if (ids.length === MOST) return { ids, isWhole: false };
      }
      cursor = page.items.some(span.isPast) ? null : page.next;
    } while (cursor);
  }
  return { ids, isWhole: true };
}

async function sendAll(ids, send, done, act) {
  const stopping = new AbortController();
  const bar = h("progress", { max: ids.length, value: 0, "aria-label": act });
  const said = h("span", {});
  const stop = h("button", { type: "button", onclick: () => stopping.abort() }, "Stop");
  const notice = h("div", { class: "notice" }, bar, said, stop);
  document.getElementById("notices").append(notice);
  let good = 0;
  const refusals = new Map();
  const left = [...ids].reverse();
  async function work() {
    for (let id = left.pop(); id && !stopping.signal.aborted; id = left.pop()) {
      try {
        await send(id);
        good += 1;
      } catch (error) {
        const reason = error instanceof ApiError ? error.title : error.message;
        refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
      }
      bar.value = ids.length - left.length;
      fill(said, `${count(ids.length - left.length)} of ${count(ids.length)}`);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  notice.remove();
  tell(done(count(good)), stopping.signal.aborted ? ", then stopped." : ".");
  for (const [reason, times] of refusals) warn(`${count(times)} not: ${reason}`);
}
