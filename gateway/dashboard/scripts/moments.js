// Times and durations as text, in the reader's time zone; the exact time is in the title.

import { h } from "./element.js";

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY_TIME = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const SHORT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY_MS = 86_400_000;

/** A time relative to now: "14 s ago", "in 3 min"; `installClock` keeps it current. */
export function ago(text) {
  return text ? moment(text, "ago") : h("span", { class: "none" }, "–");
}

/** A time of day, with the date unless it is within 12 hours. */
export function at(text) {
  return text ? moment(text, "at") : h("span", { class: "none" }, "–");
}

/** The hour and minute of a time in ms. */
export function clockTime(atMs) {
  return SHORT.format(new Date(atMs));
}

/** A duration in ms. */
export function span(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1) return `${round(ms)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${round(ms / 1000)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return two(seconds, 60, "min", 1, "s");
  if (seconds < 172_800) return two(seconds, 3600, "h", 60, "min");
  return `${Math.floor(seconds / 86_400)} days`;
}

/** A duration in ms that goes on, in units that do not change at every look: "16 min". */
export function roughly(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return "< 1 s";
  if (ms >= 36_000_000 && ms < DAY_MS) return `${Math.floor(ms / 3_600_000)} h`;
  return whole(Math.floor(ms / 1000));
}

/** Update every relative time on the page once a second. */
export function installClock() {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("time[data-form=ago]")) {
      const said = relative(Date.parse(element.dateTime));
      if (element.textContent !== said) element.textContent = said;
    }
  }, 1000);
}

function moment(text, form) {
  const atMs = Date.parse(text);
  const said = form === "ago" ? relative(atMs) : absolute(atMs);
  const title = `${new Date(atMs).toLocaleString()} · ${text}`;
  return h("time", { datetime: text, title, data: { form } }, said);
}

function relative(atMs) {
  const distance = Date.now() - atMs;
  const seconds = Math.floor(Math.abs(distance) / 1000);
  if (seconds < 1) return "now";
  const said = whole(seconds);
  return distance >= 0 ? `${said} ago` : `in ${said}`;
}

function whole(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return two(seconds, 3600, "h", 60, "min");
  return `${Math.floor(seconds / 86_400)} days`;
}

function absolute(atMs) {
  const isClose = Math.abs(Date.now() - atMs) < DAY_MS / 2;
  return (isClose ? TIME : DAY_TIME).format(new Date(atMs));
}

function round(number) {
  return number >= 100 ? Math.round(number) : Number(number.toPrecision(3));
}

function two(seconds, large, largeName, small, smallName) {
  const rest = Math.floor((seconds % large) / small);
  const first = `${Math.floor(seconds / large)} ${largeName}`;
  return rest ? `${first} ${rest} ${smallName}` : first;
}
