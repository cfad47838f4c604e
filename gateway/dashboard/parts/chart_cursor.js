// Reading single values of a chart with mouse, finger or keyboard.

import { fill, h } from "../scripts/element.js";
import { clockTime } from "../scripts/moments.js";

/**
 * Install a cursor on a drawing; it shows the values below it. `reading` is kept when the chart is
 * drawn again, so that the cursor stays at its time.
 */
export function installCursor(
  svg,
  { points, values, series, write, x, cursor, readout, inner, left, reading },
) {
  let here = -1;

  function moveTo(i) {
    here = Math.min(points.length - 1, Math.max(0, i));
    reading.at = points[here].at;
    cursor.setAttribute("x1", x(here));
    cursor.setAttribute("x2", x(here));
    cursor.setAttribute("visibility", "visible");
    const figures = series.map((one, j) =>
      h("span", { class: one.kind }, `${one.name} ${said(values[here][j], write)}`),
    );
    fill(readout, h("strong", {}, clockTime(Date.parse(points[here].at))), figures);
  }

  function leave() {
    if (reading.by !== svg) return;
    here = -1;
    reading.at = null;
    cursor.setAttribute("visibility", "hidden");
    fill(readout);
  }

  reading.by = svg;
  const before = points.findIndex((point) => point.at === reading.at);
  if (before >= 0) moveTo(before);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    moveTo(Math.floor(((event.clientX - box.left - left) / inner) * points.length));
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

/** A value as text; a gap is a dash. */
export function said(value, write) {
  return value === null || value === undefined ? "–" : write(value);
}
