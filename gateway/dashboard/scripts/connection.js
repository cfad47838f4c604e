// Whether the gateway answers. When it does not, everything on the page is marked as old.

let lostSince = null;
let reason = "";
let lastAnswerAt = null;

/** Note an answer of the gateway. */
export function noteAnswer() {
  const wasLost = lostSince !== null;
  lastAnswerAt = new Date();
  lostSince = null;
  if (wasLost) show();
}

/** Note that there was none, or that the gateway could not reach Redis. */
export function noteLoss(why) {
  if (lostSince === null) lostSince = lastAnswerAt ?? new Date();
  reason = why;
  show();
}

/** Begin to show the state. */
export function installConnection() {
  show();
}

function show() {
  const place = document.getElementById("connection");
  document.documentElement.toggleAttribute("data-stale", lostSince !== null);
  place.textContent =
    lostSince === null
      ? "Live"
      : `${reason}. What you see is as of ${lostSince.toLocaleTimeString()}; trying again.`;
}
