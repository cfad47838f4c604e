// Who looks: to the login where a key is asked for, the name of whoever logged in, logging out.

import { ask, get } from "./api.js";
import { fill, h } from "./element.js";
import { warn } from "./notices.js";
import { go, to } from "./router.js";

export const LOGIN = to("login");

/** Show who looks, and go to the login whenever the gateway asks for a key. */
export function installSession() {
  document.addEventListener("penstock:unauthenticated", () => {
    fill(place());
    if (location.pathname === LOGIN) return;
    const next = location.pathname + location.search;
    go(`${LOGIN}?next=${encodeURIComponent(next)}`, { replace: true });
  });
  if (location.pathname !== LOGIN) showWho();
}

/** Show the name of the key of this session, if there is one. */
export async function showWho() {
  let who = null;
  try {
    who = await get("/session");
  } catch {
    return; // whoever is not let in is sent to the login; what else is wrong, the view tells
  }
  if (!who.session) return;
  const may = who.operates ? "" : who.reads ? " (may read)" : " (may invoke)";
  const title = `Scopes: ${who.scopes.join(", ")}. Until ${new Date(who.expires_at).toLocaleString()}`;
  fill(
    place(),
    h("span", { class: "who-name", title }, `${who.name}${may}`),
    " ",
    h("button", { type: "button", class: "quiet", onclick: logOut }, "Log out"),
  );
}

async function logOut() {
  try {
    await ask("DELETE", "/session");
  } catch (error) {
    if (error.status !== 401) return warn(error.message);
  }
  fill(place());
  go(LOGIN);
}

function place() {
  return document.getElementById("who");
}
