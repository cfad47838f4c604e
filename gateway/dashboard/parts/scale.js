// The scales of a chart: from values to positions.

const MINUTE_MS = 60_000;
const LONG_STEPS_MS = [0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480].map((m) => m * MINUTE_MS);

/** The next round step for decimal numbers: 1, 2, 2.5 or 5 times a power of ten. */
export function decimalStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((f) => f * power >= rough * (1 - 1e-9));
  return factor * power;
}

/** The next round step for durations in ms: above 10 s, a round number of minutes or hours. */
export function timeStep(roughMs) {
  if (roughMs <= 10_000) return decimalStep(roughMs);
  return LONG_STEPS_MS.find((step) => step >= roughMs) ?? decimalStep(roughMs);
}

/** Return a scale from [0, most] to [height, 0], with 3 to 5 steps made by `roundStep`. */
export function roundScale(most, height, roundStep) {
  const step = roundStep(Math.max(most, Number.MIN_VALUE) / 4);
  const top = Math.max(step, Math.ceil(most / step - 1e-9) * step);
  const ticks = [];
  for (let value = 0; value <= top + step / 2; value += step)
    ticks.push(Number(value.toPrecision(12)));
  return { top, ticks, place: (value) => height - (value / top) * height };
}

/** Return the indexes of the points to label on the time axis, at round times. */
export function timeTicks(moments, most) {
  if (moments.length < 2) return moments.map((_, i) => i);
  const stepMs = moments[1] - moments[0];
  const minutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720];
  const wanted = minutes.find((m) => (moments.length * stepMs) / (m * 60_000) <= most) ?? 1440;
  const zoneMs = new Date(moments[0]).getTimezoneOffset() * 60_000;
  return moments.map((_, i) => i).filter((i) => (moments[i] - zoneMs) % (wanted * 60_000) === 0);
}
