// Secrets in arguments: the gateway masks them, so a form that repeats a call leaves them out.

const MASK = "**********";

/** Return the arguments without masked values, and the names of those that had any. */
export function withoutSecrets(given) {
  const names = [];
  const kept = {};
  for (const [name, value] of Object.entries(given)) {
    const hasAny = holdsSecret(value);
    if (hasAny) names.push(name);
    const left = hasAny ? strip(value) : value;
    if (left !== undefined) Object.defineProperty(kept, name, { value: left, enumerable: true });
  }
  return { kept, names };
}

function holdsSecret(value) {
  if (typeof value !== "object" || value === null) return value === MASK;
  return Object.values(value).some(holdsSecret);
}

function strip(value) {
  if (value === MASK) return undefined;
  if (Array.isArray(value)) return value.map((part) => strip(part) ?? null);
  if (typeof value !== "object" || value === null || !holdsSecret(value)) return value;
  const parts = Object.entries(value).map(([name, part]) => [name, strip(part)]);
  return Object.fromEntries(parts.filter(([, part]) => part !== undefined));
}
