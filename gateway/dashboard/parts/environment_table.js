// The table of the environments of all machines, with a button that removes those not needed.

import { ask, path } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { count, size } from "../scripts/figures.js";
import { ago } from "../scripts/moments.js";
import { tell } from "../scripts/notices.js";
import { to } from "../scripts/router.js";
import { actionButton } from "./action.js";
import { confirm } from "./confirm.js";
import { makeTable } from "./table.js";

/** Make the panel: {element, show(environments)}; hidden while there are none. */
export function makeEnvironmentTable(afterwards) {
  const table = makeTable({
    caption: "Environments",
    key: (item) => item.key,
    empty: "",
    columns: columnsOf(afterwards),
  });
  const element = h(
    "section",
    { class: "panel", data: { key: "environments" } },
    h(
      "h2",
      {},
      "Environments ",
      h("span", { class: "note" }, "packages of functions; one that no function needs goes after a week"),
    ),
    table.element,
  );

  function show(environments) {
    element.hidden = environments.length === 0;
    table.show(environments);
  }

  return { element, show };
}

function columnsOf(afterwards) {
  return [
    {
      name: "Functions",
      kind: "function",
      value: (item) => item.functions,
      draw: drawFunctions,
    },
    {
      name: "Environment",
      kind: "named",
      value: (item) => item.key,
      draw: (item) => h("code", {}, item.key),
    },
    {
      name: "Python",
      value: (item) => [item.python, item.platform],
      draw: (item) => h("span", { title: item.platform }, item.python),
    },
    {
      name: "Packages",
      kind: "figure",
      value: (item) => item.packages,
      draw: (item) => count(item.packages),
    },
    {
      name: "Size",
      kind: "figure",
      value: (item) => size(item.bytes),
      draw: (item) => size(item.bytes),
    },
    {
      name: "Last used",
      kind: "when",
      value: (item) => item.last_used_at,
      draw: (item) => ago(item.last_used_at),
    },
    {
      name: "Workers",
      kind: "figure",
      value: (item) => item.workers,
      draw: (item) => h("span", { title: item.workers.join(", ") }, count(item.workers.length)),
    },
    {
      name: "Actions",
      kind: "actions",
      value: (item) => [item.key, item.functions.length],
      draw: (item) => (item.functions.length ? null : removal(item, afterwards)),
    },
  ];
}

function drawFunctions({ functions }) {
  if (functions.length === 0) return h("span", { class: "none" }, "none");
  return h(
    "ul",
    { class: "plain" },
    functions.map((name) => h("li", {}, h("a", { href: to("functions", name) }, name))),
  );
}

function removal(item, afterwards) {
  const remove = async () => {
    const agreed = await confirm({
      title: `Remove the environment ${item.key}?`,
      body: h(
        "p",
        {},
        `${size(item.bytes)} are freed on each machine. If a function needs it again, it is built anew.`,
      ),
      yes: "Remove it",
    });
    if (!agreed) return;
    await ask("DELETE", path("environments", item.key));
    tell(`The environment ${item.key} is being removed.`);
    afterwards();
  };
  return actionButton("Remove …", remove, { key: `remove-${item.key}`, kind: "danger" });
}
