// The form that invokes a function: one field per argument, or all arguments as JSON.

import { ApiError, ask, path, withQuery } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { parseExact } from "../scripts/exact_json.js";
import { whileBusy } from "./action.js";
import { withoutSecrets } from "./masked.js";
import { FieldError, makeField } from "./schema_field.js";

/**
 * Make the form for a function, filled with the arguments in `start` (if any); calls
 * `onAccepted(invocation)`.
 */
export function makeInvokeForm(definition, start, onAccepted) {
  const schema = definition.parameters;
  const { kept, names: secrets } = withoutSecrets(start ?? {});
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).map(([name, own]) =>
    makeField(name, own, schema, required.has(name)),
  );
  const code = h("textarea", {
    id: "arguments-json",
    class: "code",
    rows: 10,
    spellcheck: "false",
  });
  const fieldPlace = h(
    "div",
    { class: "fields" },
    fields.length
      ? fields.map((field) => field.element)
      : h("p", { class: "hint" }, "The function takes no arguments."),
  );
  const codePlace = h(
    "div",
    { class: "fields", hidden: true },
    h("label", { for: "arguments-json" }, "Arguments as JSON"),
    code,
  );
  const problem = h("p", { class: "field-problem", role: "alert", hidden: true });
  const options = optionFields();
  const submit = h(
    "button",
    { type: "submit", class: "primary", data: { key: "invoke" } },
    "Invoke",
  );
  const swap = h("button", { type: "button", class: "quiet" }, "Edit as JSON");
  const form = h(
    "form",
    { class: "invoke-form", novalidate: true },
    fieldPlace,
    codePlace,
    options.element,
    secrets.length
      ? h("p", { class: "hint" }, `Secrets are not shown; enter them again: ${secrets.join(", ")}.`)
      : null,
    problem,
    h("p", { class: "actions" }, submit, swap),
  );
  if (start) for (const field of fields) field.set(kept[field.name]);

  swap.addEventListener("click", () =>
    whileBusy(swap, async () => {
      const toCode = codePlace.hidden;
      if (toCode) code.value = JSON.stringify(await readFields(fields), null, 2);
      else {
        const value = parseExact(code.value || "{}");
        for (const field of fields) field.set(value[field.name]);
      }
      codePlace.hidden = !toCode;
      fieldPlace.hidden = toCode;
      swap.textContent = toCode ? "Edit as a form" : "Edit as JSON";
    }),
  );

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, async () => {
      problem.hidden = true;
      for (const field of fields) field.fail(null);
      try {
        const body = codePlace.hidden ? await readFields(fields) : code.value || "{}";
        if (codePlace.hidden) requireAnew(fields, secrets, body);
        const address = withQuery(path("functions", definition.name), options.query());
        onAccepted(await ask("POST", address, { body, headers: options.headers() }));
      } catch (error) {
        showProblem(error, fields, problem, codePlace.hidden);
      }
    });
  });
  return form;
}

async function readFields(fields) {
  const body = {};
  for (const field of fields) {
    try {
      const value = await field.read();
      if (value !== undefined) Object.defineProperty(body, field.name, { value, enumerable: true });
    } catch (error) {
      if (error instanceof FieldError) field.fail(`${field.name} ${error.message}`);
      throw error;
    }
  }
  return body;
}

function requireAnew(fields, secrets, body) {
  for (const field of fields)
    if (secrets.includes(field.name) && body[field.name] === "") {
      field.fail(`${field.name} is a secret and is not shown; enter it again`);
      throw new FieldError("is empty");
    }
}

function showProblem(error, fields, place, isForm) {
  if (error instanceof FieldError) return;
  const left = [];
  const faults = error instanceof ApiError ? error.errors : [];
  for (const fault of [...faults].reverse()) {
    const name = fault.pointer?.split("/")[1]?.replaceAll("~1", "/").replaceAll("~0", "~");
    const field = isForm && fields.find((one) => one.name === name);
    if (field)
      field.fail(`${fault.pointer.split("/").length > 2 ? fault.pointer : name}: ${fault.detail}`);
    else left.unshift(`${fault.pointer}: ${fault.detail}`);
  }
  if (faults.length && !left.length) return;
  place.textContent = left.join("; ") || error.message;
  place.hidden = false;
}

function optionFields() {
  const make = (name, label, attributes) => {
    const input = h("input", {
      id: `option-${name}`,
      type: "text",
      autocomplete: "off",
      ...attributes,
    });
    return {
      name,
      input,
      element: h("div", { class: "field" }, h("label", { for: `option-${name}` }, label), input),
    };
  };
  const delay = make("delay", "Delay", { placeholder: "30s, 5m, 2h, 7d" });
  const priority = make("priority", "Priority", { placeholder: "0 to 9, higher first" });
  const tag = make("tag", "Tag", { placeholder: "a label to find it by" });
  const callback = make("callback", "Callback URL", { placeholder: "https://", type: "url" });
  const element = h(
    "details",
    { class: "options" },
    h("summary", {}, "Options"),
    h(
      "div",
      { class: "option-fields" },
      [delay, priority, tag, callback].map((one) => one.element),
    ),
  );
  return {
    element,
    query: () =>
      Object.fromEntries([delay, priority, tag].map((one) => [one.name, one.input.value.trim()])),
    headers: () =>
      callback.input.value.trim() ? { "X-Callback-Url": callback.input.value.trim() } : {},
  };
}
