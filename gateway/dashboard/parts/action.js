// A button that sends a request: it is busy until the answer arrives, and errors are shown.

import { h } from "../scripts/element.js";
import { warn } from "../scripts/notices.js";

/** Make a button that runs `work` on a click. */
export function actionButton(name, work, { kind = "", key = name, title = null } = {}) {
  const button = h("button", { type: "button", class: kind, title, data: { key } }, name);
  button.addEventListener("click", () => whileBusy(button, work));
  return button;
}

/** Run `work` while a button is marked busy. */
export async function whileBusy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    warn(error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** Copy text to the clipboard; if that is not allowed, show the text to be copied by hand. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    warn(
      "The browser does not allow this page to use the clipboard. Copy it from here: ",
      h("code", {}, text),
    );
    return false;
  }
}
