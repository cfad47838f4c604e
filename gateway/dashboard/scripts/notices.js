// What has just happened, said once on the page and to screen readers.

import { h } from "./element.js";

const LASTS_MS = 8000;

/** Say that something was done. */
export function tell(...content) {
  put("notice", content, LASTS_MS);
}

/** Say that something went wrong; stays until it is dismissed. */
export function warn(...content) {
  put("notice bad", content, 0);
}

/** Tell screen readers only, of changes that others see. */
export function announce(text) {
  const place = document.getElementById("announcer");
  if (place.textContent !== text) place.textContent = text;
}

function put(kind, content, lastsMs) {
  const place = document.getElementById("notices");
  const notice = h("div", { class: kind }, h("span", {}, content));
  const remove = () => notice.remove();
  notice.append(h("button", { type: "button", class: "quiet", onclick: remove }, "Dismiss"));
  place.append(notice);
  while (place.children.length > 3) place.firstElementChild.remove();
  if (lastsMs) setTimeout(remove, lastsMs);
}
