// The entry point: navigation, theme, session and search box; then the router shows the view.

import { installConnection } from "./connection.js";
import { fill, h } from "./element.js";
import { installClock } from "./moments.js";
import { warn } from "./notices.js";
import { go, installRouter, ROOT, to } from "./router.js";
import { installSession } from "./session.js";
import { installThemeSwitch } from "./theme.js";

const VIEWS = [
  [ROOT, "Overview", "overview"],
  [to("functions"), "Functions", "functions function"],
  [to("invocations"), "Invocations", "invocations invocation batch"],
  [to("queues"), "Queues", "queues"],
  [to("workers"), "Workers", "workers"],
  [to("schedules"), "Schedules", "schedules"],
  [to("deliveries"), "Deliveries", "deliveries delivery"],
];
const INVOCATION = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const FUNCTION = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$/;
const SECRET = /^(pk_[0-9a-z]{12}_|ps_|whsec_)/;

fill(
  document.getElementById("views"),
  h(
    "ul",
    {},
    VIEWS.map(([href, name, pages]) => h("li", {}, h("a", { href, data: { pages } }, name))),
  ),
);
installThemeSwitch(document.getElementById("theme"));
installConnection();
installClock();
installJump();
installSession();
installRouter();

function installJump() {
  const box = document.getElementById("jump-to");
  document.getElementById("jump").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = box.value.trim();
    if (!wanted) return;
    box.value = "";
    // The text becomes part of a URL, and URLs are stored in histories and logs.
    if (SECRET.test(wanted)) warn("That is a key or a secret. Enter API keys only on the login page.");
    else if (INVOCATION.test(wanted)) go(to("invocations", wanted.toLowerCase()));
    else if (wanted.startsWith("dlv_")) go(to("deliveries", wanted));
    else if (FUNCTION.test(wanted)) go(to("functions", wanted));
    else warn("That is neither the id of an invocation or delivery nor a function name.");
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      box.focus();
    }
  });
}
