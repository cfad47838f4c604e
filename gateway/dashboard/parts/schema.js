// Reading a function's JSON Schema: which form field fits an argument, and the signature.

/** Resolve `$ref` within a schema and take out "or null". Returns {schema, isNullable}. */
export function resolve(schema, root) {
  let found = schema;
  for (let i = 0; found.$ref && i < 20; i += 1) {
    const target = found.$ref
      .replace("#/", "")
      .split("/")
      .reduce((at, part) => at?.[part.replaceAll("~1", "/").replaceAll("~0", "~")], root);
    const { $ref, ...own } = found;
    found = { ...(target ?? {}), ...own };
  }
  if (found.allOf?.length === 1)
    return resolve({ ...found, allOf: undefined, ...found.allOf[0] }, root);
  const choices = found.anyOf ?? found.oneOf;
  if (!choices) return { schema: found, isNullable: false };
  const others = choices.filter((choice) => choice.type !== "null");
  if (others.length !== 1 || others.length === choices.length)
    return { schema: found, isNullable: others.length < choices.length };
  const { anyOf, oneOf, ...own } = found;
  return { schema: { ...resolve(others[0], root).schema, ...own }, isNullable: true };
}

/** The kind of form field for a resolved schema. */
export function kindOf(schema) {
  if (schema.enum) return "choice";
  if (schema.const !== undefined) return "choice";
  if (schema.contentEncoding === "base64" || schema.format === "binary") return "bytes";
  if (schema.type === "boolean") return "switch";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "string") return "text";
  return "json";
}

/** A short name of a schema's type, such as `list of string`. */
export function typeName(schema, root) {
  const { schema: plain, isNullable } = resolve(schema, root);
  const name = plainName(plain, root);
  return isNullable ? `${name} | null` : name;
}

/** An example value with the shape of a schema, to show its members. */
export function exampleOf(given, root, depth = 0) {
  const { schema } = resolve(given, root);
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.type === "array")
    return schema.items && depth < 4 ? [exampleOf(schema.items, root, depth + 1)] : [];
  if (schema.type === "object" || schema.properties) {
    const members = Object.entries(depth < 4 ? (schema.properties ?? {}) : {});
    return Object.fromEntries(members.map(([name, one]) => [name, exampleOf(one, root, depth + 1)]));
  }
  return { integer: 0, number: 0, boolean: false, string: "…" }[schema.type] ?? null;
}

/** The signature name(a: string, b: integer = 3) → number as [name, parameters, result]. */
export function signatureParts(definition) {
  const { parameters } = definition;
  const required = new Set(parameters.required ?? []);
  const listed = Object.entries(parameters.properties ?? {}).map(([name, schema]) => {
    const preset = required.has(name) ? "" : schema.default === undefined ? " = …" : ` = ${JSON.stringify(schema.default)}`;
    return { name, type: typeName(schema, parameters), preset };
  });
  return { listed, returns: typeName(definition.returns ?? {}, definition.returns ?? {}) };
}

function plainName(schema, root) {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((choice) => typeName(choice, root)).join(" | ");
  if (schema.enum)
    return schema.enum.length <= 4
      ? schema.enum.map((one) => JSON.stringify(one)).join(" | ")
      : "choice";
  if (kindOf(schema) === "bytes") return schema.contentMediaType ?? "bytes";
  if (schema.type === "array")
    return schema.items ? `list of ${typeName(schema.items, root)}` : "list";
  if (schema.type === "object") return schema.title ?? "object";
  if (Array.isArray(schema.type)) return schema.type.join(" | ");
  return schema.format ?? schema.type ?? "any JSON";
}
