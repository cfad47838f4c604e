// The login: the API key is sent once; the browser then keeps a session that scripts cannot read.

import { ask } from "../scripts/api.js";
import { h } from "../scripts/element.js";
import { go, ROOT } from "../scripts/router.js";
import { showWho } from "../scripts/session.js";
import { whileBusy } from "../parts/action.js";

export async function show(view, { query }) {
  const problem = h("p", { class: "field-problem", id: "key-problem", role: "alert" });
  const key = h("input", {
    id: "key",
    name: "key",
    type: "password",
    autocomplete: "current-password",
    spellcheck: "false",
    required: true,
    autofocus: true,
    "aria-describedby": "key-problem",
  });
  const button = h("button", { class: "primary" }, "Log in");
  const form = h(
    "form",
    { class: "panel login" },
    h("div", { class: "field" }, h("label", { for: "key" }, "API key"), key, problem),
    button,
    h(
      "p",
      { class: "hint" },
      "A key with the scope ",
      h("code", {}, "read"),
      " shows everything; with ",
      h("code", {}, "operate"),
      " you can also retry, cancel and pause. An administrator creates keys:",
      h("code", { class: "command" }, "penstock keys create --name me --scope operate"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(button, () => logIn(key, problem, query.get("next")));
  });
  view.append(h("div", { class: "page-head" }, h("h1", {}, "Log in")), form);
}

async function logIn(key, problem, next) {
  problem.textContent = "";
  key.removeAttribute("aria-invalid");
  try {
    await ask("POST", "/session", { body: { key: key.value.trim() } });
  } catch (error) {
    if (!error.status) throw error;
    problem.textContent = error.message;
    key.setAttribute("aria-invalid", "true");
    key.select();
    return;
  }
  key.value = "";
  showWho();
  if (next === "/docs" || next === "/") location.assign("/docs");
  else await go(isOurs(next) ? next : ROOT);
}

function isOurs(next) {
  return next === ROOT || Boolean(next?.startsWith(`${ROOT}/`) || next?.startsWith(`${ROOT}?`));
}
