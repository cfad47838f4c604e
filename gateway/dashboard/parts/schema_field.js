// A form field for one argument: drawn from its JSON Schema and read as a JSON value.

import { base64Of } from "../scripts/base64.js";
import { h } from "../scripts/element.js";
import { ExactNumber, parseExact } from "../scripts/exact_json.js";
import { many } from "../scripts/figures.js";
import { prose } from "./safe_text.js";
import { exampleOf, kindOf, resolve, typeName } from "./schema.js";

/** The field's content cannot be sent. */
export class FieldError extends Error {}

/**
 * Make a field for an argument. Returns {element, name, read(), set(value), fail(text)}; `read`
 * returns undefined if the argument is left out.
 */
export function makeField(name, given, root, isRequired) {
  const { schema, isNullable } = resolve(given, root);
  const id = `argument-${name}`;
  const kind = kindOf(schema);
  const input = INPUTS[kind]({ schema, root, isRequired, isNullable, id });
  const problem = h("p", { class: "field-problem", id: `${id}-problem`, hidden: true });
  const bounds = describeBounds(schema);
  const hint = h(
    "p",
    { class: "hint", id: `${id}-hint` },
    prose([sentence(given.description ?? schema.description), bounds].filter(Boolean).join(" ")),
  );
  const described = `${id}-hint ${id}-problem`;
  input.control.setAttribute("aria-describedby", described);
  const label = h(
    "label",
    { for: id },
    name,
    h("span", { class: "note" }, ` ${typeName(given, root)}${isRequired ? "" : " · optional"}`),
  );
  const element = h("div", { class: `field field-${kind}` }, label, input.control, hint, problem);

  return {
    name,
    element,
    read: () => input.read(),
    set: (value) => input.set(value),
    fail(text) {
      problem.textContent = text ?? "";
      problem.hidden = !text;
      input.control.setAttribute("aria-invalid", text ? "true" : "false");
      if (text) input.control.focus();
    },
  };
}

const INPUTS = {
  text({ schema, isRequired, id }) {
    const usual = schema.default;
    const control = h("textarea", {
      id,
      rows: 1,
      spellcheck: "false",
      placeholder: usual === undefined || usual === null ? PLACEHOLDERS[schema.format] : usual,
    });
    return {
      control,
      read: () => (control.value === "" && !isRequired ? undefined : control.value),
      set: (value) => (control.value = value ?? ""),
    };
  },

  number({ schema, id }) {
    const isWhole = schema.type === "integer";
    const control = h("input", {
      id,
      type: "text",
      inputmode: isWhole ? "numeric" : "decimal",
      autocomplete: "off",
      placeholder: schema.default ?? null,
    });
    return {
      control,
      read() {
        const text = control.value.trim();
        if (text === "") return undefined;
        if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) throw new FieldError("takes a number");
        return new ExactNumber(text.replace(/^(-?)0+(?=\d)/, "$1"));
      },
      set: (value) =>
        (control.value = value === null || value === undefined ? "" : JSON.stringify(value)),
    };
  },

  switch({ schema, isNullable, id }) {
    const options = [
      ["", schema.default === undefined ? "–" : `default: ${JSON.stringify(schema.default)}`],
      ["true", "true"],
      ["false", "false"],
    ];
    if (isNullable) options.push(["null", "null"]);
    return select(id, options);
  },

  choice({ schema, isRequired, isNullable, id }) {
    const values = schema.enum ?? [schema.const];
    const usual =
      schema.default === undefined ? "–" : `default: ${JSON.stringify(schema.default)}`;
    const options = isRequired ? [] : [["", usual]];
    for (const value of values) options.push([JSON.stringify(value), String(value)]);
    if (isNullable) options.push(["null", "null"]);
    return select(id, options);
  },

  bytes({ id }) {
    const control = h("input", { id, type: "file" });
    let kept;
    control.addEventListener("change", () => (kept = undefined));
    return {
      control,
      async read() {
        const [file] = control.files;
        return file ? base64Of(file) : kept;
      },
      set: (value) => (kept = value),
    };
  },

  json({ schema, root, isRequired, id }) {
    const usual = schema.default === undefined ? exampleOf(schema, root) : schema.default;
    const control = h("textarea", {
      id,
      rows: 3,
      class: "code",
      spellcheck: "false",
      placeholder: JSON.stringify(usual, null, 2),
    });
    return {
      control,
      read() {
        if (control.value.trim() === "") {
          if (isRequired) throw new FieldError("takes JSON");
          return undefined;
        }
        try {
          return parseExact(control.value);
        } catch (error) {
          throw new FieldError(`is not JSON: ${error.message}`);
        }
      },
      set: (value) => (control.value = value === undefined ? "" : JSON.stringify(value, null, 2)),
    };
  },
};

const PLACEHOLDERS = {
  date: "2026-01-31",
  "date-time": "2026-01-31T12:00:00Z",
  time: "12:00:00Z",
  uuid: "00000000-0000-0000-0000-000000000000",
  uri: "https://",
};

function select(id, options) {
  const control = h(
    "select",
    { id },
    options.map(([value, name]) => h("option", { value }, name)),
  );
  return {
    control,
    read: () => (control.value === "" ? undefined : JSON.parse(control.value)),
    set: (value) => (control.value = value === undefined ? "" : JSON.stringify(value)),
  };
}

function describeBounds(schema) {
  const said = [];
  if (schema.minimum !== undefined) said.push(`at least ${schema.minimum}`);
  if (schema.exclusiveMinimum !== undefined) said.push(`more than ${schema.exclusiveMinimum}`);
  if (schema.maximum !== undefined) said.push(`at most ${schema.maximum}`);
  if (schema.exclusiveMaximum !== undefined) said.push(`less than ${schema.exclusiveMaximum}`);
  const { minLength: shortest, maxLength: longest } = schema;
  if (shortest && shortest === longest) said.push(`exactly ${many(shortest, "character")}`);
  else {
    if (shortest) said.push(`at least ${many(shortest, "character")}`);
    if (longest !== undefined) said.push(`at most ${many(longest, "character")}`);
  }
  if (schema.pattern) said.push(`matching ${schema.pattern}`);
  const [first, ...rest] = said;
  return first ? `${[first[0].toUpperCase() + first.slice(1), ...rest].join(", ")}.` : "";
}

function sentence(text) {
  return !text || /[.!?…:]$/.test(text) ? text : `${text}.`;
}
