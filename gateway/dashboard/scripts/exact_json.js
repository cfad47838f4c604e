// JSON without loss: numbers that a double cannot hold keep the digits they came with.

/** A number as it was written. */
export class ExactNumber {
  constructor(text) {
    this.text = text;
  }

  toJSON() {
    return JSON.rawJSON ? JSON.rawJSON(this.text) : Number(this.text);
  }
}

/** Read JSON; browsers that do not tell a number's source round it. */
export function parseExact(text) {
  if (!/\d{16}|\d[eE]/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value, context) => {
    if (typeof value !== "number" || !context?.source) return value;
    return isFaithful(value, context.source) ? value : new ExactNumber(context.source);
  });
}

function isFaithful(value, source) {
  if (!Number.isFinite(value)) return false;
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(source);
}
