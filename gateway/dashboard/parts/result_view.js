// The result of an invocation: JSON as a tree; bytes as a download, images with a preview.

import { path } from "../scripts/api.js";
import { fill, h } from "../scripts/element.js";
import { size } from "../scripts/figures.js";
import { jsonView } from "./json_view.js";
import { block } from "./safe_text.js";

const PICTURES = ["image/png", "image/jpeg"];
const MOST_SHOWN_BYTES = 5_000_000;

/** Show the result of a successful invocation. */
export function resultView(invocation, signal) {
  const place = h("div", { class: "result" });
  if (typeof invocation.result === "string" || invocation.result_omitted)
    drawByKind(place, invocation, signal);
  else fill(place, jsonView(invocation.result));
  return place;
}

async function drawByKind(place, invocation, signal) {
  const address = path("invocations", invocation.id, "result");
  let kind;
  try {
    const answer = await fetch(address, { method: "HEAD", signal });
    kind = (answer.headers.get("Content-Type") ?? "").split(";")[0];
  } catch {
    kind = "";
  }
  if (signal.aborted) return;
  if (kind === "application/json" || kind === "") {
    fill(
      place,
      typeof invocation.result === "string"
        ? block(invocation.result)
        : download(address, invocation, "JSON"),
    );
    return;
  }
  const bytes =
    typeof invocation.result === "string" ? Math.floor((invocation.result.length * 3) / 4) : null;
  fill(
    place,
    h(
      "p",
      {},
      h("code", {}, kind),
      bytes === null ? null : ` ${size(bytes)} `,
      download(address, invocation, "Download"),
    ),
  );
  if (PICTURES.includes(kind) && (bytes ?? 0) <= MOST_SHOWN_BYTES)
    place.append(await picture(address, kind, signal));
}

function download(address, invocation, name) {
  return h(
    "a",
    { class: "button", href: address, download: `${invocation.function}-${invocation.id}` },
    name,
  );
}

async function picture(address, kind, signal) {
  const content = await (await fetch(address, { signal })).arrayBuffer();
  const source = URL.createObjectURL(new Blob([content], { type: kind }));
  signal.addEventListener("abort", () => URL.revokeObjectURL(source));
  return h("img", { class: "preview", src: source, alt: "The returned image" });
}
