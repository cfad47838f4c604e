// The four charts of `/statistics`, for all functions or for one.

import { h } from "../scripts/element.js";
import { compact, percent } from "../scripts/figures.js";
import { span } from "../scripts/moments.js";
import { makeChart } from "./chart.js";
import { timeStep } from "./scale.js";

/** Make the charts; returns {element, show(points)}. */
export function makeStatisticsCharts() {
  const charts = [
    makeChart({
      title: "Calls ended",
      form: "bars",
      write: compact,
      least: 4,
      series: [
        { name: "succeeded", kind: "succeeded", read: (point) => point.succeeded },
        { name: "failed", kind: "failed", read: (point) => point.failed },
        {
          name: "cancelled or expired",
          kind: "cancelled",
          read: (point) => point.cancelled + point.expired,
        },
      ],
    }),
    makeChart({
      title: "Failure rate",
      form: "lines",
      write: percent,
      least: 0.04,
      series: [{ name: "failed", kind: "failed", read: (point) => point.failure_rate }],
    }),
    quantiles("Run time", "run_ms"),
    quantiles("Time in the queue", "queue_ms"),
  ];
  return {
    element: h(
      "div",
      { class: "charts" },
      charts.map((chart) => chart.element),
    ),
    show: (points) => charts.forEach((chart) => chart.show(points)),
  };
}

function quantiles(title, field) {
  return makeChart({
    title,
    form: "lines",
    write: span,
    least: 4,
    roundStep: timeStep,
    series: [
      { name: "p95", kind: "p95", read: (point) => point[field]?.p95 ?? null },
      { name: "p50", kind: "p50", read: (point) => point[field]?.p50 ?? null },
    ],
  });
}
