// The drawing of a chart: axes, and stacked bars or lines.

import { s } from "../scripts/element.js";
import { clockTime } from "../scripts/moments.js";
import { installCursor } from "./chart_cursor.js";
import { roundScale, timeTicks } from "./scale.js";

const HEIGHT = 150;
const LEFT = 48; // at least; long labels of the scale take more
const LETTER = 6.2;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM;
const TICK_WIDTH = 85;

/** Draw the points; the options are those of `makeChart`, plus the readout and the width. */
export function drawChart(
  points,
  { title, series, form, write, least, roundStep, readout, width, reading },
) {
  const moments = points.map((point) => Date.parse(point.at));
  const values = points.map((point) => series.map((one) => one.read(point)));
  const tops = values.map((row) =>
    form === "bars" ? row.reduce((a, b) => a + (b ?? 0), 0) : Math.max(...row.map((v) => v ?? 0)),
  );
  const scale = roundScale(Math.max(least, ...tops), INNER_HEIGHT, roundStep);
  const letters = Math.max(...scale.ticks.map((value) => write(value).length));
  const left = Math.max(LEFT, Math.ceil(letters * LETTER) + 8);
  const inner = width - left - RIGHT;
  const x = (i) => ((i + 0.5) / points.length) * inner;
  const marks =
    form === "bars" ? bars(values, series, scale, x, inner) : lines(values, series, scale, x);
  const isEmpty =
    form === "bars"
      ? tops.every((top) => top === 0)
      : values.flat().every((value) => (value ?? null) === null);
  const nothing = isEmpty
    ? s(
        "text",
        { class: "tick nothing", x: inner / 2, y: INNER_HEIGHT / 2, "text-anchor": "middle" },
        "no data in this period",
      )
    : null;
  const cursor = s("line", { class: "cursor", y1: 0, y2: INNER_HEIGHT, visibility: "hidden" });
  const svg = s(
    "svg",
    {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      tabindex: "0",
      role: "img",
      "aria-label": `${title}. Read values with the arrow keys; the table below has all of them.`,
      data: { key: title },
    },
    s(
      "g",
      { transform: `translate(${left} ${TOP})` },
      axes(scale, moments, x, write, inner),
      marks,
      nothing,
      cursor,
    ),
  );
  installCursor(svg, {
    points,
    values,
    series,
    write,
    x,
    cursor,
    readout,
    inner,
    left,
    reading,
  });
  return svg;
}

function axes(scale, moments, x, write, inner) {
  const across = scale.ticks.map((value) => {
    const y = scale.place(value);
    return [
      s("line", { class: "grid", x1: 0, x2: inner, y1: y, y2: y }),
      s("text", { class: "tick", x: -6, y: y + 4, "text-anchor": "end" }, write(value)),
    ];
  });
  const along = timeTicks(moments, inner / TICK_WIDTH).map((i) => {
    const text = clockTime(moments[i]);
    const half = (text.length * LETTER) / 2;
    const place = Math.max(half - RIGHT, Math.min(x(i), inner + RIGHT - half));
    return s(
      "text",
      { class: "tick", x: place, y: INNER_HEIGHT + 15, "text-anchor": "middle" },
      text,
    );
  });
  return [across, along];
}

function bars(values, series, scale, x, inner) {
  const width = Math.max(1, (inner / values.length) * 0.8);
  return values.map((row, i) => {
    let below = 0;
    return row.map((value, j) => {
      if (!value) return null;
      const y = scale.place(below + value);
      const height = Math.max(0.75, scale.place(below) - y);
      below += value;
      return s("rect", {
        class: `bar ${series[j].kind}${i === values.length - 1 ? " open-step" : ""}`,
        x: x(i) - width / 2,
        y,
        width,
        height,
      });
    });
  });
}

function lines(values, series, scale, x) {
  return series.map((one, j) => {
    const parts = [];
    const dots = []; // single points between gaps, and the last point, whose period is not over
    let isOpen = false;
    values.forEach((row, i) => {
      if (row[j] === null || row[j] === undefined) {
        isOpen = false;
        return;
      }
      const isLast = i === values.length - 1;
      const hasNext = i + 1 < values.length - 1 && (values[i + 1][j] ?? null) !== null;
      if (isLast) isOpen = false;
      parts.push(`${isOpen ? "L" : "M"}${x(i).toFixed(1)} ${scale.place(row[j]).toFixed(1)}`);
      if (!isOpen && !hasNext)
        dots.push(
          s("circle", {
            class: `dot ${one.kind}${isLast ? " open-step" : ""}`,
            cx: x(i),
            cy: scale.place(row[j]),
            r: 2.5,
          }),
        );
      isOpen = true;
    });
    return [s("path", { class: `line ${one.kind}`, d: parts.join("") }), dots];
  });
}
