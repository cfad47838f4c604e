// A chart over time, drawn by hand: stacked bars or lines, axes, a cursor for mouse, finger and
// keyboard, and the same figures as a table.

import { fill, h, redraw, s } from "../scripts/element.js";
import { at, clockTime } from "../scripts/moments.js";
import { roundScale, timeTicks } from "./scale.js";

const WIDTH = 560;
const HEIGHT = 150;
const LEFT = 44;
const RIGHT = 6;
const TOP = 8;
const BOTTOM = 20;
const INNER = { width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };

/**
 * Make a chart.
 *
 * `series` are {name, kind, read(point)}; `kind` is a class that colours it. `form` is "bars"
 * (stacked) or "lines"; `write` turns a value into words; `least` is the top of an empty scale.
 * Returns {element, show(points)}; a point has `at`.
 */
export function makeChart({ title, note, series, form, write, least }) {
  const plot = h("div", { class: "plot" });
  const readout = h("p", { class: "readout", "aria-live": "off" });
  const rows = h("tbody", {});
  const table = h(
    "details",
    { class: "as-table" },
    h("summary", {}, "As a table"),
    h(
      "div",
      { class: "table-scroll", tabindex: "0" },
      h(
        "table",
        {},
        h("caption", { class: "unseen" }, title),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "From"), series.map((one) => h("th", { scope: "col" }, one.name)))),
        rows,
      ),
    ),
  );
  const legend = h("ul", { class: "legend" }, series.map((one) => h("li", { class: one.kind }, one.name)));
  const heading = h("h3", {}, title, note ? h("span", { class: "note" }, ` ${note}`) : null);
  const element = h("figure", { class: "chart" }, heading, legend, plot, readout, table);
  let points = [];

  table.addEventListener("toggle", drawTable);

  function show(next) {
    points = next;
    redraw(plot, next, () => drawing(next, { title, series, form, write, least, readout }));
    if (table.open) drawTable();
  }

  function drawTable() {
    fill(
      rows,
      [...points].reverse().map((point) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, at(point.at)),
          series.map((one) => h("td", { class: "figure" }, said(one.read(point), write))),
        ),
      ),
    );
  }

  return { element, show };
}

function drawing(points, { title, series, form, write, least, readout }) {
  const moments = points.map((point) => Date.parse(point.at));
  const values = points.map((point) => series.map((one) => one.read(point)));
  const tops = values.map((row) => (form === "bars" ? row.reduce((a, b) => a + (b ?? 0), 0) : Math.max(...row.map((v) => v ?? 0))));
  const scale = roundScale(Math.max(least, ...tops), INNER.height);
  const x = (i) => ((i + 0.5) / points.length) * INNER.width;
  const marks = form === "bars" ? bars(values, series, scale, x) : lines(values, series, scale, x);
  const cursor = s("line", { class: "cursor", y1: 0, y2: INNER.height, visibility: "hidden" });
  const svg = s(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      tabindex: "0",
      role: "img",
      "aria-label": `${title}. Arrow keys read single values; the figures are in the table below.`,
      data: { key: title },
    },
    s("g", { transform: `translate(${LEFT} ${TOP})` }, axes(scale, moments, x, write), marks, cursor),
  );
  installCursor(svg, { points, values, series, write, x, cursor, readout });
  return svg;
}

function axes(scale, moments, x, write) {
  const across = scale.ticks.map((value) => {
    const y = scale.place(value);
    return [
      s("line", { class: "grid", x1: 0, x2: INNER.width, y1: y, y2: y }),
      s("text", { class: "tick", x: -6, y: y + 4, "text-anchor": "end" }, write(value)),
    ];
  });
  const along = timeTicks(moments, 6).map((i) =>
    s("text", { class: "tick", x: x(i), y: INNER.height + 15, "text-anchor": "middle" }, clockTime(moments[i])),
  );
  return [across, along];
}

function bars(values, series, scale, x) {
  const width = Math.max(1, (INNER.width / values.length) * 0.8);
  return values.map((row, i) => {
    let below = 0;
    return row.map((value, j) => {
      if (!value) return null;
      const y = scale.place(below + value);
      const height = Math.max(0.75, scale.place(below) - y);
      below += value;
      return s("rect", { class: `bar ${series[j].kind}`, x: x(i) - width / 2, y, width, height });
    });
  });
}

function lines(values, series, scale, x) {
  return series.map((one, j) => {
    const parts = [];
    let isOpen = false;
    values.forEach((row, i) => {
      if (row[j] === null || row[j] === undefined) {
        isOpen = false;
        return;
      }
      const hasNext = (values[i + 1]?.[j] ?? null) !== null;
      parts.push(`${isOpen ? "L" : "M"}${x(i).toFixed(1)} ${scale.place(row[j]).toFixed(1)}`);
      // A point between two gaps is drawn as a dot: a line of no length with round ends.
      if (!isOpen && !hasNext) parts.push("h0");
      isOpen = true;
    });
    return s("path", { class: `line ${one.kind}`, d: parts.join("") });
  });
}

function installCursor(svg, { points, values, series, write, x, cursor, readout }) {
  let here = -1;

  function moveTo(i) {
    here = Math.min(points.length - 1, Math.max(0, i));
    cursor.setAttribute("x1", x(here));
    cursor.setAttribute("x2", x(here));
    cursor.setAttribute("visibility", "visible");
    const figures = series.map((one, j) => h("span", { class: one.kind }, `${one.name} ${said(values[here][j], write)}`));
    fill(readout, h("strong", {}, clockTime(Date.parse(points[here].at))), figures);
  }

  function leave() {
    here = -1;
    cursor.setAttribute("visibility", "hidden");
    fill(readout);
  }

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const inside = ((event.clientX - box.left) / box.width) * WIDTH - LEFT;
    moveTo(Math.floor((inside / INNER.width) * points.length));
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("focus", () => readout.setAttribute("aria-live", "polite"));
  svg.addEventListener("blur", () => {
    readout.setAttribute("aria-live", "off");
    leave();
  });
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    moveTo(here < 0 ? points.length - 1 : here + step);
  });
}

function said(value, write) {
  return value === null || value === undefined ? "–" : write(value);
}
