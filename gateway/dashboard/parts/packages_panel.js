// The panel of a function's packages: its environment, what is installed there, and while that is
// resolved or built, the log.

import { ask, path } from "../scripts/api.js";
import { h, redraw } from "../scripts/element.js";
import { many, size } from "../scripts/figures.js";
import { ago, roughly, span } from "../scripts/moments.js";
import { announce, tell } from "../scripts/notices.js";
import { actionButton } from "./action.js";
import { confirm } from "./confirm.js";
import { factList } from "./function_facts.js";
import { followEnd } from "./output.js";
import { visible } from "./safe_text.js";
import { badge } from "./status_badge.js";
import { makeTable } from "./table.js";

/** Whether the packages of a function are being resolved or built. */
export function isUnderWay({ environment }) {
  return environment.state === "resolving" || environment.state === "building";
}

/** For how long they have been resolved or built; "" if they are not. */
export function elapsedOf(definition) {
  return isUnderWay(definition) ? roughly(definition.environment.seconds * 1000) : "";
}

/**
 * Make the panel: {element, show(definition)}; hidden for a function that names no packages.
 * `afterwards` is called once the packages are to be resolved anew.
 */
export function makePackagesPanel(name, afterwards) {
  const status = h("span", {});
  const facts = h("div", {});
  const pre = h("pre", { class: "log", tabindex: "0", "aria-label": "Log", hidden: true });
  const keepAtEnd = followEnd(pre);
  const summary = h("summary", {});
  const table = makeTable({
    caption: "Packages",
    key: (item) => item.name,
    empty: "",
    columns: COLUMNS,
  });
  const listed = h("details", { class: "packages" }, summary, table.element);
  const again = actionButton("Resolve anew …", () => relock(name, afterwards));
  const element = h(
    "section",
    { class: "panel", data: { key: "packages" } },
    h("h2", {}, "Packages ", status),
    facts,
    pre,
    listed,
    h("p", { class: "actions" }, again),
  );
  let said = "";

  function show(definition) {
    const { environment, dependencies } = definition;
    const { state } = environment;
    element.hidden = state === "none";
    redraw(status, [state, elapsedOf(definition)], () => [
      badge(state),
      " ",
      h("span", { class: "note" }, elapsedOf(definition)),
    ]);
    facts.hidden = state !== "ready";
    redraw(facts, environment, () => factList(factsOf(environment)));
    again.hidden = isUnderWay(definition);
    showText(definition);
    listed.hidden = dependencies.length === 0;
    const serving = state === "ready" ? "" : " of the version that serves";
    redraw(summary, [dependencies.length, serving], () => many(dependencies.length, "package") + serving);
    table.show(dependencies);
    if (said && said !== state) announce(`The packages are ${WORDS[state]}`);
    said = state;
  }

  // The log of what is under way; or why it failed, unless the page tells that already.
  function showText({ environment, error }) {
    const text = environment.message ?? "";
    const isTold = environment.state === "failed" && error?.message === text;
    pre.hidden = text === "" || isTold;
    if (pre.textContent === visible(text)) return;
    pre.textContent = visible(text);
    keepAtEnd(environment.state === "failed");
  }

  return { element, show };
}

const WORDS = {
  none: "not needed any more",
  resolving: "being resolved",
  building: "being built",
  ready: "ready",
  failed: "not there: that failed",
};

const COLUMNS = [
  { name: "Package", kind: "function", value: (item) => item.name, draw: (item) => item.name },
  {
    name: "Version",
    kind: "named",
    value: (item) => item.version,
    draw: (item) => h("code", {}, item.version),
  },
];

function factsOf(environment) {
  return [
    ["Python", environment.python],
    ["Size on disk", size(environment.bytes)],
    ["Built", ago(environment.built_at)],
    ["Build took", span(environment.seconds * 1000)],
    ["Environment", h("code", {}, environment.key)],
  ];
}

async function relock(name, afterwards) {
  const agreed = await confirm({
    title: `Resolve the packages of ${name} anew?`,
    body: h(
      "p",
      {},
      "Packages may get other versions. The version that serves goes on until the new one has loaded.",
    ),
    yes: "Resolve anew",
    isDangerous: false,
  });
  if (!agreed) return;
  await ask("POST", path("functions", name, "relock"));
  tell(`The packages of ${name} are being resolved anew.`);
  afterwards();
}
