// Text, JSON or bytes that a function returned. Nothing of it runs: markup is shown as text, and
// only pictures of some media types become an element.

import { h } from "../scripts/element.js";
import { parseExact } from "../scripts/exact_json.js";
import { size } from "../scripts/figures.js";
import { jsonView } from "./json_view.js";
import { block, isolated } from "./safe_text.js";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const MOST_SHOWN_BYTES = 5_000_000;

/** Show content of a media type: a text, bytes (`Uint8Array`) or a JSON value. */
export function contentView(content, mediaType, { name, signal }) {
  if (typeof content === "string") return content ? block(content) : nothing();
  if (!(content instanceof Uint8Array)) return jsonView(content);
  return content.length ? bytesView(content, mediaType, name, signal) : nothing();
}

/** Read bytes of a media type as `contentView` takes them: JSON and text where they are that. */
export function readContent(bytes, mediaType) {
  const text = isPicture(mediaType) ? null : readText(bytes);
  if (text === null) return bytes;
  const kind = plain(mediaType);
  if (kind !== "application/json" && !kind.endsWith("+json")) return text;
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}

/** A media type without its parameters. */
export function plain(mediaType) {
  return mediaType.split(";")[0].trim().toLowerCase();
}

function readText(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

function nothing() {
  return h("p", { class: "hint" }, "No body.");
}

function bytesView(bytes, mediaType, name, signal) {
  const download = urlFor(bytes, "application/octet-stream", signal);
  return [
    downloadLine(mediaType, bytes.length, download, name),
    isPicture(mediaType) ? picture(bytes, mediaType, signal) : null,
  ];
}

/** What bytes are, and a link to download them. */
export function downloadLine(mediaType, bytes, href, name) {
  return h(
    "p",
    {},
    h("code", {}, isolated(plain(mediaType) || "bytes")),
    bytes === null ? " " : ` ${size(bytes)} `,
    h("a", { class: "button", href, download: name }, "Download"),
  );
}

/** Whether bytes of a media type can be shown as a picture. */
export function isPicture(mediaType) {
  return PICTURES.includes(plain(mediaType));
}

/** The picture that the bytes are; nothing if it is too large to show. */
export function picture(bytes, mediaType, signal) {
  if (bytes.length > MOST_SHOWN_BYTES) return null;
  const src = urlFor(bytes, plain(mediaType), signal);
  return h("img", { class: "preview", src, alt: "The returned image" });
}

function urlFor(bytes, type, signal) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  signal.addEventListener("abort", () => URL.revokeObjectURL(url));
  return url;
}
