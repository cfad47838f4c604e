// A call as a command line for a shell.

import { path } from "../scripts/api.js";

/** Return the curl command that makes this call again. */
export function curlOf(invocation) {
  const words = [
    "curl",
    "-sS",
    "-X",
    "POST",
    location.origin + path("functions", invocation.function),
  ];
  words.push("-H", "Content-Type: application/json", "-H", "Prefer: wait=30");
  words.push("--data-raw", JSON.stringify(invocation.arguments));
  return words.map(quote).join(" ");
}

function quote(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
