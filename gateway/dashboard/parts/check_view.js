// The panel of the last consistency check: when it ran and what it found.

import { get } from "../scripts/api.js";
import { fill, h, redraw } from "../scripts/element.js";
import { count, many } from "../scripts/figures.js";
import { ago } from "../scripts/moments.js";
import { makeTable } from "./table.js";

const EVERY = 5; // polls of the page

/** Make the panel: {element, look(signal)}; the page calls `look` at every poll. */
export function makeCheckView() {
  const said = h("p", { class: "lead" });
  const table = makeTable({
    caption: "Findings of the last check",
    key: (finding) => `${finding.kind} ${finding.id} ${finding.is}`,
    empty: "",
    columns: COLUMNS,
  });
  const found = h("div", {});
  const element = h(
    "section",
    { class: "panel", data: { key: "check" } },
    h("h2", {}, "Consistency check ", h("span", { class: "note" }, "once a day")),
    said,
    found,
  );
  let turn = 0;
  let shown;

  async function look(signal) {
    turn += 1;
    if (turn % EVERY !== 1) return;
    const checks = (await get("/checks", signal)).items;
    const last = checks.find((check) => check.state === "finished");
    const current = checks.find((check) => check.state !== "finished");
    redraw(said, [last?.id, current?.id, current?.looked_at], () => tell(last, current));
    if (!last || last.id === shown) return;
    const { findings } = await get(`/checks/${encodeURIComponent(last.id)}`, signal);
    table.show(findings);
    fill(found, findings.length ? table.element : null);
    shown = last.id;
  }

  return { element, look };
}

function tell(last, current) {
  const now = current ? ` One is ${current.state === "running" ? "running" : "waiting"} now.` : "";
  if (!last) return [`No check has finished yet.${now}`];
  const left = Object.values(last.left).reduce((sum, one) => sum + one, 0);
  const fault = left ? many(left, "inconsistency", "inconsistencies") : "No inconsistencies";
  return [`${fault}: ${count(last.looked_at)} checked, `, ago(last.finished_at), `.${now}`];
}

const COLUMNS = [
  { name: "Kind", value: (one) => one.kind, draw: (one) => h("code", {}, one.kind) },
  { name: "Id", value: (one) => one.id, draw: (one) => h("code", {}, one.id) },
  { name: "Actual", value: (one) => one.is, draw: (one) => one.is },
  { name: "Expected", value: (one) => one.should, draw: (one) => one.should },
  {
    name: "Repaired",
    value: (one) => one.repaired,
    draw: (one) => (one.repaired ? "yes" : "no"),
  },
];
