// One function: its signature and statistics, and a form that invokes it and follows the result, or
// sends it an HTTP request and shows the answer.

import { get, getIfAllowed, path, withQuery } from "../scripts/api.js";
import { fill, h, redraw } from "../scripts/element.js";
import { announce } from "../scripts/notices.js";
import { poll } from "../scripts/poll.js";
import { to } from "../scripts/router.js";
import { factList, functionFacts, loadError, signature } from "../parts/function_facts.js";
import { follow } from "../parts/following.js";
import { makeInvocationTable, shortId } from "../parts/invocation_table.js";
import { makeInvokeForm } from "../parts/invoke_form.js";
import { makeOutput } from "../parts/output.js";
import { isUnderWay, makePackagesPanel } from "../parts/packages_panel.js";
import { rawAnswer } from "../parts/raw_answer.js";
import { makeRawForm } from "../parts/raw_form.js";
import { paragraphs, prose } from "../parts/safe_text.js";
import { badge } from "../parts/status_badge.js";
import { makeStatisticsCharts } from "../parts/statistics_charts.js";

const EVERY_MS = 4000;
const BUILDING_MS = 1000;
const RELOCKED_MS = 10_000; // how long the start of what was asked for is looked out for

export async function show(view, { name, query }, signal) {
  const [found, start] = await Promise.all([
    get(path("functions", name), signal),
    readStart(query.get("from"), signal),
  ]);
  let definition = found;
  const charts = makeStatisticsCharts();
  const recent = makeInvocationTable({
    caption: "Latest invocations",
    empty: () => nothing,
    without: ["Function"],
  });
  let nothing = "";
  const outcome = h("div", { class: "outcome", "aria-live": "off" });
  let following = new AbortController();
  signal.addEventListener("abort", () => following.abort());

  async function accepted(invocation) {
    following.abort();
    following = new AbortController();
    await followHere(outcome, invocation.id, following.signal);
    refresh();
  }

  function answered(answer) {
    following.abort();
    following = new AbortController();
    fill(outcome, rawAnswer(answer, definition, following.signal));
    announce(`The answer is ${answer.status || "a redirect"}`);
    refresh();
  }

  async function look() {
    const [statistics, latest] = await Promise.all([
      getIfAllowed(withQuery("/statistics", { minutes: "60", function: name }), signal),
      getIfAllowed(withQuery("/invocations", { function: name, limit: "10" }), signal),
    ]);
    if (statistics) charts.show(statistics.points);
    nothing = latest
      ? "No invocations yet, or their records are no longer kept."
      : "Your key may not read invocations.";
    recent.show(latest ? latest.items : []);
  }

  // What the file says is drawn again when it changes, but not the form: it may be half filled in.
  const head = h("div", {});
  const invoking = h("div", {});
  const packages = makePackagesPanel(name, () => {
    relockedAt = Date.now();
    refreshDefinition();
  });
  let relockedAt = 0;

  function drawDefinition() {
    const { version, error, takes_request: takesRequest, methods, verification } = definition;
    redraw(head, [version, error, verification], () => drawHead(definition));
    packages.show(definition);
    redraw(invoking, [Boolean(version), takesRequest, methods], () => version && drawInvoking());
  }

  async function lookAtDefinition() {
    definition = await get(path("functions", name), signal);
    drawDefinition();
  }

  await look();
  view.append(
    h(
      "div",
      { class: "page-head" },
      h("h1", { data: { title: name } }, name),
      h(
        "div",
        { class: "page-tools" },
        h(
          "a",
          { href: `${to("invocations")}?function=${encodeURIComponent(name)}` },
          "All invocations",
        ),
      ),
    ),
    head,
    packages.element,
    invoking,
    h("h2", {}, "Last hour"),
    charts.element,
    h("section", { class: "panel" }, h("h2", {}, "Latest invocations"), recent.element),
  );
  drawDefinition();
  const refresh = poll(look, EVERY_MS, signal);
  const refreshDefinition = poll(
    lookAtDefinition,
    () => (isUnderWay(definition) || Date.now() < relockedAt + RELOCKED_MS ? BUILDING_MS : EVERY_MS),
    signal,
  );

  function drawInvoking() {
    fill(outcome, h("div", { class: "panel empty" }, "Invocations that you start are shown here as they run."));
    return h(
      "div",
      { class: "columns invoke" },
      h("section", { class: "panel", id: "invoke" }, drawForms()),
      outcome,
    );
  }

  function drawForms() {
    const sent = start?.request;
    const raw = makeRawForm(definition, sent, answered, signal);
    const invoke = makeInvokeForm(definition, sent ? undefined : start?.arguments, accepted);
    const title = h("h2", {});
    const swap = h("button", { type: "button", class: "quiet", data: { key: "swap" } });
    const draw = (isRaw) => {
      raw.hidden = !isRaw;
      invoke.hidden = isRaw;
      title.textContent = isRaw ? "Send a request" : "Invoke";
      if (start && isRaw === Boolean(sent))
        title.textContent = `Invoke again with the ${sent ? "request" : "arguments"} of ${shortId(start.id)}`;
      swap.textContent = isRaw ? "Invoke with arguments" : "Send an HTTP request";
    };
    swap.addEventListener("click", () => draw(raw.hidden));
    draw(Boolean(sent) || (!start && definition.takes_request));
    return [h("div", { class: "panel-head" }, title, swap), invoke, raw];
  }
}

function drawHead(definition) {
  return [
    definition.error ? loadError(definition) : "",
    definition.version ? signature(definition) : "",
    h("p", { class: "lead" }, prose(definition.summary)),
    definition.description ? h("p", { class: "description" }, paragraphs(definition.description)) : "",
    factList(functionFacts(definition)),
  ];
}

async function readStart(id, signal) {
  return id ? await get(path("invocations", id), signal) : null;
}

async function followHere(place, id, signal) {
  const output = makeOutput(signal);
  const status = h("span", {});
  let said = "";
  fill(
    place,
    h(
      "section",
      { class: "panel outcome-head" },
      h(
        "h2",
        {},
        "Invocation ",
        h("a", { href: to("invocations", id), title: id }, shortId(id)),
        " ",
        status,
      ),
    ),
    output.element,
  );
  await follow(id, signal, (told) => {
    if (told.invocation.status !== said) {
      said = told.invocation.status;
      fill(status, badge(said));
      announce(`The invocation is ${said}`);
    }
    output.show(told);
  });
}
