// Numbers and sizes as text.

const WHOLE = new Intl.NumberFormat();
const COMPACT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

/** A whole number in full: 12,345. */
export function count(number) {
  return number === null || number === undefined ? "–" : WHOLE.format(number);
}

/** A whole number for small spaces: 12.3K. */
export function compact(number) {
  return number < 10_000 ? WHOLE.format(number) : COMPACT.format(number);
}

/** A share between 0 and 1 as a percentage; a small share is never rounded to zero. */
export function percent(share) {
  if (share === null || share === undefined) return "–";
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return `${Number((share * 100).toFixed(share < 0.1 ? 1 : 0))} %`;
}

/** A number of bytes as a size. */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1_048_576) return `${(bytes / 1024).toFixed(1)} KiB`;
  if (bytes >= 10_737_418_240) return `${(bytes / 1_073_741_824).toFixed(1)} GiB`;
  return `${(bytes / 1_048_576).toFixed(bytes < 104_857_600 ? 1 : 0)} MiB`;
}

/** A number with its noun: "1 call", "12 calls". */
export function many(number, one, several = `${one}s`) {
  return `${WHOLE.format(number)} ${number === 1 ? one : several}`;
}
