// Notices on the page, which screen readers announce too.

import { h } from "./element.js";

const LASTS_MS = 8000;

/** Show that something was done. */
export function tell(...content) {
  put("notice", content, LASTS_MS);
}

/** Show that something went wrong; the notice stays until it is dismissed. */
export function warn(...content) {
  put("notice bad", content, 0);
}

/** Announce a change to screen readers only. */
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
