// Facts about a function: its signature, its options, and why its file does not load.

import { h } from "../scripts/element.js";
import { count, size } from "../scripts/figures.js";
import { span } from "../scripts/moments.js";
import { to } from "../scripts/router.js";
import { signatureParts } from "./schema.js";

/** A list of [name, content] pairs. */
export function factList(facts) {
  return h(
    "dl",
    { class: "facts" },
    facts
      .filter(([, said]) => said !== null && said !== undefined && said !== "")
      .map(([name, said]) => h("div", {}, h("dt", {}, name), h("dd", {}, said))),
  );
}

/** The options of a function, without those that have no effect. */
export function functionFacts(definition) {
  const { version, options, queue, window: most, verification } = definition;
  if (!version) return [["Version", "none has loaded yet"]]; // its options are not known
  const { retry } = options;
  return [
    ["Version", h("code", {}, version)],
    ["Queue", h("a", { href: to("queues") }, queue)],
    ["Timeout", span(options.timeout_s * 1000)],
    ["Grace period", options.grace_s ? span(options.grace_s * 1000) : null],
    [
      "Retries",
      retry?.retries ? `${retry.retries}, first after ${span(retry.first_s * 1000)}` : "none",
    ],
    [
      "Runs in",
      options.isolation === "thread"
        ? "a thread of the worker"
        : `a process${options.memory_bytes ? ` of at most ${size(options.memory_bytes)}` : ""}`,
    ],
    [
      "Per process",
      options.isolation === "thread" ? null : most > 1 ? `${count(most)} at once` : "one at a time",
    ],
    ["Concurrency", options.concurrency],
    ["Rate", options.rate ? `${options.rate.count} in ${options.rate.per_s} s` : null],
    ["Priority", options.priority === 5 ? null : options.priority],
    [
      "Schedule",
      options.schedule
        ? h("a", { href: to("schedules") }, h("code", {}, options.schedule), ` ${options.timezone}`)
        : null,
    ],
    ["Expires after", options.max_age_s ? span(options.max_age_s * 1000) : null],
    ["Max waiting", options.max_waiting ? count(options.max_waiting) : null],
    ["Result kept", span(options.result_ttl_s * 1000)],
    ["Raw address", h("code", {}, location.origin, definition.links.raw)],
    ["HTTP methods", definition.methods.join(", ")],
    ["Verifies webhooks", verification && verificationFact(verification)],
    ["Called from pages of", options.cors?.join(", ")],
  ];
}

/** A badge if the gateway lacks the secret that webhooks are verified with. */
export function secretBadge({ verification }) {
  if (!verification || verification.is_set) return null;
  const title = `Set ${variableOf(verification)} for the gateway; until then signed calls get 401.`;
  return h("span", { class: "badge missing", title }, "secret missing");
}

function verificationFact(verification) {
  const scheme = h("code", {}, verification.scheme);
  const variable = h("code", {}, variableOf(verification));
  return verification.is_set
    ? [scheme, " · secret set (", variable, ")"]
    : [scheme, " ", secretBadge({ verification }), " set ", variable];
}

function variableOf({ secret }) {
  return `PENSTOCK_SECRET_${secret}`;
}

/** name(a: type = default) → type. */
export function signature(definition) {
  const { listed, returns } = signatureParts(definition);
  return h(
    "p",
    { class: "signature" },
    h(
      "code",
      {},
      h("b", {}, definition.name),
      "(",
      listed.map((one, i) => [
        i ? ", " : "",
        h("span", { class: "parameter" }, one.name, ": ", h("i", {}, one.type), one.preset),
      ]),
      ") → ",
      h("i", {}, returns),
    ),
  );
}

// What failed for a reason that may pass without a change of the file.
const PASSING = new Set([
  "DependencyUnavailable",
  "DependencyBuildFailed",
  "DependencyTimeout",
  "DiskFull",
]);

/** Why the file on disk is not the version that serves calls. */
export function loadError({ error, version }) {
  const place = `${error.file}${error.line ? `, line ${error.line}` : ""}`;
  return h(
    "section",
    { class: "alarm", role: "alert" },
    h("strong", {}, `The file does not load: ${place}`),
    h("pre", { class: "traceback" }, `${error.type}: ${error.message}`),
    h(
      "p",
      {},
      version
        ? ["Calls run version ", h("code", {}, version), ", the last one that loaded."]
        : "No version has ever loaded; calls get 503.",
      PASSING.has(error.type)
        ? " It is tried again by itself: first after 30 s, then up to every 10 min."
        : " Fix the file; it is loaded again as soon as it is saved.",
    ),
  );
}
