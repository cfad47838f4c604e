// The router: shows the view for a URL without reloading the page, so every view has a link.

import { ApiError } from "./api.js";
import { fill, h } from "./element.js";
import { announce } from "./notices.js";

export const ROOT = "/dashboard";
const PATTERNS = [
  ["/", "overview"],
  ["/functions", "functions"],
  ["/functions/:name", "function"],
  ["/invocations", "invocations"],
  ["/invocations/:id", "invocation"],
  ["/batches/:id", "batch"],
  ["/queues", "queues"],
  ["/workers", "workers"],
  ["/schedules", "schedules"],
  ["/deliveries", "deliveries"],
  ["/deliveries/:id", "delivery"],
  ["/login", "login"],
];
const RETRY_MS = 3000;
let leaving = new AbortController();
let shownAddress = "";

/** The URL of a view: to("invocations", id). */
export function to(...parts) {
  return [ROOT, ...parts.map(encodeURIComponent)].join("/");
}

/** Navigate to a URL of the dashboard. */
export function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  return showAddress();
}

/** Change the query in the URL without drawing the view again. */
export function keepQuery(parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
  shownAddress = location.pathname + location.search;
}

/** Show the view of the current URL, and handle clicks on links from now on. */
export function installRouter() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download"))
      return;
    if (link.origin !== location.origin || !isOurs(link.pathname)) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.href);
  });
  addEventListener("popstate", () => {
    if (location.pathname + location.search !== shownAddress) showAddress();
  });
  showAddress({ isFirst: true });
}

async function showAddress({ isFirst = false } = {}) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  shownAddress = location.pathname + location.search;
  const route = match(location.pathname);
  const content = document.getElementById("content");
  markView(route?.page);
  fill(content, h("p", { class: "loading" }, "Loading …"));
  try {
    if (!route)
      throw new ApiError(404, {
        title: "No such page",
        detail: `There is nothing at ${location.pathname}.`,
      });
    const page = await import(`../pages/${route.page}.js`);
    if (signal.aborted) return;
    const view = h("div", { class: `page page-${route.page}` });
    await page.show(
      view,
      { ...route.parameters, query: new URLSearchParams(location.search) },
      signal,
    );
    if (signal.aborted) return;
    fill(content, view);
  } catch (error) {
    if (signal.aborted) return;
    fill(content, failure(error));
    if (!(error instanceof ApiError)) setTimeout(() => signal.aborted || showAddress(), RETRY_MS);
  }
  settle(content, isFirst);
}

function settle(content, isFirst) {
  const heading = content.querySelector("h1");
  const name = heading?.dataset.title ?? heading?.textContent ?? "Penstock";
  document.title = `${name} · Penstock`;
  const target =
    location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target) target.scrollIntoView();
  content.querySelector("[autofocus]")?.focus();
  if (isFirst) return;
  if (!target) scrollTo(0, 0);
  if (heading && !content.contains(document.activeElement)) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
  announce(name);
}

/** The content of a page that cannot be shown. */
export function failure(error) {
  const isProblem = error instanceof ApiError;
  return h(
    "section",
    { class: "panel failure", role: "alert" },
    h("h1", {}, isProblem ? error.title : "The gateway does not answer"),
    h(
      "p",
      {},
      isProblem
        ? error.message
        : `Is it running? Trying again every 3 seconds. (${error.message})`,
    ),
    h(
      "p",
      { class: "actions" },
      h("button", { type: "button", onclick: () => showAddress() }, "Try again"),
      h("a", { href: ROOT }, "Go to the overview"),
    ),
  );
}

function match(pathname) {
  const asked = pathname.slice(ROOT.length).replace(/\/$/, "").split("/");
  for (const [pattern, page] of PATTERNS) {
    const parts = pattern.replace(/\/$/, "").split("/");
    if (parts.length !== asked.length) continue;
    const parameters = {};
    const fits = parts.every((part, i) => {
      if (!part.startsWith(":")) return part === asked[i];
      parameters[part.slice(1)] = decode(asked[i]);
      return asked[i] !== "";
    });
    if (fits) return { page, parameters };
  }
  return null;
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function isOurs(pathname) {
  return pathname === ROOT || pathname.startsWith(`${ROOT}/`);
}

function markView(page) {
  for (const link of document.querySelectorAll("#views a")) {
    const isHere = link.dataset.pages.split(" ").includes(page);
    if (isHere) {
      link.setAttribute("aria-current", "page");
      centre(link);
    } else link.removeAttribute("aria-current");
  }
}

// Not scrollIntoView: in Chromium 150 and later it moves the start of keyboard navigation to the
// link, so that the first Tab would skip everything before it, the skip link included.
function centre(link) {
  const views = document.getElementById("views");
  const offset = link.getBoundingClientRect().left - views.getBoundingClientRect().left;
  views.scrollLeft += offset - (views.clientWidth - link.offsetWidth) / 2;
}
