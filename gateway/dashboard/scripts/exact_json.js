// JSON without loss: a number that a double cannot hold keeps its digits.

/** A number as it was written in the JSON text. */
export class ExactNumber {
  constructor(text) {
    this.text = text;
  }

  toJSON() {
    return JSON.rawJSON ? JSON.rawJSON(this.text) : Number(this.text);
  }
}

/** Parse JSON; browsers without access to the source text round such numbers. */
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
