// The filter of the list of invocations; it is kept in the URL so that it can be shared.

import { h } from "../scripts/element.js";
import { ENDED, LIVE } from "./status_badge.js";

const SPANS = {
  "": "any time",
  "15m": "last 15 minutes",
  "1h": "last hour",
  "6h": "last 6 hours",
  "24h": "last 24 hours",
};
const SPAN_MS = { "15m": 900_000, "1h": 3_600_000, "6h": 21_600_000, "24h": 86_400_000 };
const BETWEEN = "between";

/** Read a filter from a URL's query. */
export function readFilter(query) {
  const read = (name) => query.get(name) ?? "";
  return {
    function: read("function"),
    status: read("status"),
    tag: read("tag"),
    since: read("since"),
    until: read("until"),
  };
}

/** The API's query parameters for a filter; "last hour" is relative to now. */
export function queryOf(filter) {
  const spanMs = SPAN_MS[filter.since];
  return {
    function: filter.function,
    status: filter.status,
    tag: filter.tag,
    since: spanMs ? new Date(Date.now() - spanMs).toISOString() : filter.since,
    before: filter.until,
  };
}

/** The filter as part of a sentence: "failed invocations of thumbnail". */
export function describeFilter(filter, status) {
  const words = [`${status} invocations`];
  if (filter.function) words.push(`of ${filter.function}`);
  if (filter.tag) words.push(`tagged ${filter.tag}`);
  if (SPAN_MS[filter.since]) words.push(`accepted in the ${SPANS[filter.since]}`);
  else if (filter.since) words.push(`accepted since ${new Date(filter.since).toLocaleString()}`);
  if (filter.until) words.push(`accepted until ${new Date(filter.until).toLocaleString()}`);
  return words.join(" ");
}

/** Make the form; calls `onChange(filter)`. `names` are the names of all functions. */
export function makeFilterForm(filter, names, onChange) {
  const functions = h("input", {
    id: "filter-function",
    name: "function",
    list: "function-names",
    value: filter.function,
    placeholder: "any",
    autocomplete: "off",
    spellcheck: "false",
  });
  const statuses = select(
    "filter-status",
    [["", "any"], ...[...LIVE, ...ENDED].map((one) => [one, one])],
    filter.status,
  );
  const tag = h("input", {
    id: "filter-tag",
    name: "tag",
    value: filter.tag,
    placeholder: "any",
    autocomplete: "off",
    spellcheck: "false",
  });
  const isBetween = Boolean(filter.until || (filter.since && !SPAN_MS[filter.since]));
  const spans = select(
    "filter-span",
    [...Object.entries(SPANS), [BETWEEN, "between …"]],
    isBetween ? BETWEEN : filter.since,
  );
  const from = h("input", {
    id: "filter-from",
    type: "datetime-local",
    step: "1",
    value: isBetween ? localText(filter.since) : "",
  });
  const till = h("input", {
    id: "filter-until",
    type: "datetime-local",
    step: "1",
    value: localText(filter.until),
  });
  const between = h("span", { class: "between", hidden: !isBetween }, labelled("From", from), labelled("Until", till));

  const read = () => ({
    function: functions.value.trim(),
    status: statuses.value,
    tag: tag.value.trim(),
    since: spans.value === BETWEEN ? exactText(from.value) : spans.value,
    until: spans.value === BETWEEN ? exactText(till.value) : "",
  });
  const form = h(
    "form",
    { class: "filters", role: "search", "aria-label": "Filter invocations" },
    labelled("Function", functions),
    h(
      "datalist",
      { id: "function-names" },
      names.map((name) => h("option", { value: name })),
    ),
    labelled("Status", statuses),
    labelled("Tag", tag),
    labelled("Accepted", spans),
    between,
    h("button", { type: "submit", class: "unseen" }, "Filter"),
  );
  form.addEventListener("change", () => {
    between.hidden = spans.value !== BETWEEN;
    onChange(read());
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onChange(read());
  });
  return form;
}

function labelled(name, control) {
  return h("div", { class: "filter" }, h("label", { for: control.id }, name), control);
}

function select(id, options, value) {
  const control = h(
    "select",
    { id },
    options.map(([one, name]) => h("option", { value: one }, name)),
  );
  control.value = value;
  return control;
}

function localText(text) {
  const atMs = Date.parse(text);
  if (!atMs) return "";
  return new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function exactText(local) {
  return local ? new Date(local).toISOString() : "";
}
