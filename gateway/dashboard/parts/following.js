// Following one invocation: its record, and its server-sent events while it runs.

import { get, path } from "../scripts/api.js";
import { isEnded } from "./status_badge.js";

const LOOK_MS = 2000;
const MOST_LOG = 300_000;

/**
 * Follow until `signal` aborts; calls `onChange(told)` at most once per frame. `told` is
 * {invocation, progress, logs, items, events}. Progress, items and events are those of the latest
 * attempt; logs are those of all attempts, each after a line with its number.
 */
export async function follow(id, signal, onChange) {
  const told = { invocation: null, progress: null, logs: "", items: [], events: [], attempt: 0 };
  let loggedAttempt = 0;
  let stream = null;
  let timer = 0;
  let isDrawing = false;
  let isReading = false;
  let isOutdated = false;

  function changed() {
    if (isDrawing || signal.aborted) return;
    isDrawing = true;
    requestAnimationFrame(() => {
      isDrawing = false;
      if (!signal.aborted) onChange(told);
    });
  }

  // An event that arrives during the read may be missing from its answer, so read once more.
  async function look() {
    isOutdated = true;
    if (isReading) return;
    isReading = true;
    try {
      while (isOutdated) {
        isOutdated = false;
        told.invocation = await get(path("invocations", id), signal);
        if (isEnded(told.invocation.status)) await addKeptLogs();
        changed();
      }
    } finally {
      isReading = false;
    }
  }

  // Events are kept for a while only; the captured output as long as the record.
  async function addKeptLogs() {
    if (told.logs) return;
    const answer = await fetch(path("invocations", id, "logs"), { signal });
    if (answer.ok && !told.logs) told.logs = await answer.text();
  }

  function forget(attempt) {
    Object.assign(told, { attempt, progress: null, items: [], events: [] });
  }

  // As in /logs: if there are several attempts, each one's output follows a line with its number.
  function addLog(attempt, text) {
    if (attempt !== loggedAttempt && attempt > 1) {
      if (loggedAttempt === 1) told.logs = `=== attempt 1 ===\n${told.logs}`;
      if (told.logs && !told.logs.endsWith("\n")) told.logs += "\n";
      told.logs += `=== attempt ${attempt} ===\n`;
    }
    loggedAttempt = attempt;
    told.logs = (told.logs + text).slice(-MOST_LOG);
  }

  function take(name, event) {
    const attempt = Number(event.lastEventId.split(".")[0]) || 0;
    if (attempt > told.attempt) forget(attempt);
    const value = JSON.parse(event.data);
    if (name === "progress") told.progress = value;
    else if (name === "log") addLog(attempt, value);
    else if (name === "item") told.items.push(value);
    else told.events.push(value);
    changed();
  }

  function listen() {
    close();
    if (document.hidden || signal.aborted) return;
    forget(0);
    told.logs = "";
    loggedAttempt = 0;
    stream = new EventSource(path("invocations", id, "events"));
    for (const name of ["progress", "log", "item", "event"])
      stream.addEventListener(name, (event) => take(name, event));
    stream.addEventListener("status", () => look().catch(() => {}));
    stream.addEventListener("end", () => {
      close();
      look().catch(poll);
    });
    stream.onerror = () => {
      // An error status closes the stream for good; poll instead.
      if (stream?.readyState === EventSource.CLOSED) poll();
    };
  }

  function poll() {
    close();
    if (signal.aborted) return;
    timer = setTimeout(async () => {
      await look().catch(() => {});
      if (!told.invocation || !isEnded(told.invocation.status)) poll();
    }, LOOK_MS);
  }

  function close() {
    stream?.close();
    stream = null;
    clearTimeout(timer);
  }

  signal.addEventListener("abort", close);
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : listen()), {
    signal,
  });
  await look();
  listen();
  return { look };
}
