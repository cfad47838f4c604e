// A confirmation dialog before an action that cannot be undone.

import { h } from "../scripts/element.js";

/**
 * Ask for confirmation; resolves to true if it was given. `body` may be text or nodes; `yes` is
 * the label of the button that confirms.
 */
export function confirm({ title, body, yes, isDangerous = true }) {
  const { promise, resolve } = Promise.withResolvers?.() ?? withResolvers();
  const agree = h(
    "button",
    { type: "submit", value: "yes", class: isDangerous ? "danger" : "primary" },
    yes,
  );
  const decline = h("button", { type: "submit", value: "no", class: "quiet" }, "Leave as it is");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "confirm-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "confirm-title" }, title),
      h("div", { class: "dialog-body" }, body),
      h("p", { class: "actions" }, agree, decline),
    ),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  });
  document.body.append(dialog);
  dialog.showModal();
  decline.focus();
  return promise;
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}
