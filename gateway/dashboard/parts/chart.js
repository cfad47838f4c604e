// A chart over time with title, legend and readout, and the same values as a table.

import { fill, h, redraw } from "../scripts/element.js";
import { at } from "../scripts/moments.js";
import { said } from "./chart_cursor.js";
import { drawChart } from "./chart_drawing.js";
import { decimalStep } from "./scale.js";

/**
 * Make a chart.
 *
 * `series` are {name, kind, read(point)}; `kind` is the class that colours it. `form` is "bars"
 * (stacked) or "lines"; `write` formats a value; `least` is the smallest top of the scale;
 * `roundStep` rounds the scale's steps.
 * Returns {element, show(points)}; a point has `at`.
 */
export function makeChart({ title, series, form, write, least, roundStep = decimalStep }) {
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
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "From"),
            series.map((one) => h("th", { scope: "col", class: "figure" }, one.name)),
          ),
        ),
        rows,
      ),
    ),
  );
  const legend = h(
    "ul",
    { class: "legend" },
    series.map((one) => h("li", { class: one.kind }, one.name)),
  );
  const heading = h("h3", {}, title);
  const element = h("figure", { class: "chart" }, heading, legend, plot, readout, table);
  let points = [];
  let width = 0;
  const reading = { at: null, by: null };

  new ResizeObserver(([entry]) => {
    width = Math.round(entry.contentRect.width);
    if (points.length) draw();
  }).observe(plot);
  table.addEventListener("toggle", drawTable);

  function show(next) {
    points = next;
    if (width) draw();
    if (table.open) drawTable();
  }

  // Drawn at the width of its container, so that text and lines keep their size.
  function draw() {
    redraw(plot, [points, width], () =>
      drawChart(points, { title, series, form, write, least, roundStep, readout, width, reading }),
    );
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
