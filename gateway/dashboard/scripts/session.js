// The session: redirects to the login when a key is needed, shows the key's name, logs out.

import { ask, get } from "./api.js";
import { fill, h } from "./element.js";
import { warn } from "./notices.js";
import { go, to } from "./router.js";

export const LOGIN = to("login");

/** Show the session's key, and go to the login whenever the gateway answers 401. */
export function installSession() {
  document.addEventListener("penstock:unauthenticated", () => {
    fill(place());
    if (location.pathname === LOGIN) return;
    const next = location.pathname + location.search;
    go(`${LOGIN}?next=${encodeURIComponent(next)}`, { replace: true });
  });
  if (location.pathname !== LOGIN) showWho();
}

/** Show the name of the session's key, if there is a session. */
export async function showWho() {
  let who = null;
  try {
    who = await get("/session");
  } catch {
    return; // a 401 leads to the login; the view itself shows other errors
  }
  if (!who.session) return;
  const may = who.operates ? "" : who.reads ? " (read only)" : " (may invoke)";
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
