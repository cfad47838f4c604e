// The last consistency check: when it was, and what it found.

import { get } from "../scripts/api.js";
import { fill, h, redraw } from "../scripts/element.js";
import { count, many } from "../scripts/figures.js";
import { ago } from "../scripts/moments.js";
import { makeTable } from "./table.js";

const EVERY = 5; // looks of the page

/** Make the panel: {element, look(signal)}; `look` is called at every look of the page. */
export function makeCheckView() {
  const said = h("p", { class: "lead" });
  const table = makeTable({
    caption: "What the last check found",
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
  const now = current ? ` One ${current.state === "running" ? "runs" : "waits"} now.` : "";
  if (!last) return [`No check has come to its end yet.${now}`];
  const left = Object.values(last.left).reduce((sum, one) => sum + one, 0);
  const fault = left ? `${many(left, "thing does", "things do")} not fit` : "All fits";
  return [`${fault}: ${count(last.looked_at)} compared, `, ago(last.finished_at), `.${now}`];
}

const COLUMNS = [
  { name: "Kind", value: (one) => one.kind, draw: (one) => h("code", {}, one.kind) },
  { name: "What", value: (one) => one.id, draw: (one) => h("code", {}, one.id) },
  { name: "Is", value: (one) => one.is, draw: (one) => one.is },
  { name: "Should be", value: (one) => one.should, draw: (one) => one.should },
  {
    name: "Mended",
    value: (one) => one.repaired,
    draw: (one) => (one.repaired ? "yes" : "no"),
  },
];
