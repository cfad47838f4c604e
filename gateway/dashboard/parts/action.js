// A button that asks the gateway for something: busy meanwhile, and what goes wrong is said.

import { h } from "../scripts/element.js";
import { warn } from "../scripts/notices.js";

/** Make a button that runs `work` on a click. */
export function actionButton(name, work, { kind = "", key = name, title = null } = {}) {
  const button = h("button", { type: "button", class: kind, title, data: { key } }, name);
  button.addEventListener("click", () => whileBusy(button, work));
  return button;
}

/** Run `work` with a button marked busy. */
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

/** Put text on the clipboard; where that is forbidden, show it to be copied by hand. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    warn(
      "The browser does not let this page use the clipboard. Copy it from here: ",
      h("code", {}, text),
    );
    return false;
  }
}
