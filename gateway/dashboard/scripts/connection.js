// Whether the gateway answers. While it does not, the whole page is marked as stale.

let lostSince = null;
let reason = "";
let lastAnswerAt = null;

/** Record that the gateway answered. */
export function noteAnswer() {
  const wasLost = lostSince !== null;
  lastAnswerAt = new Date();
  lostSince = null;
  if (wasLost) show();
}

/** Record that the gateway did not answer, or could not reach Redis. */
export function noteLoss(why) {
  if (lostSince === null) lostSince = lastAnswerAt ?? new Date();
  reason = why;
  show();
}

/** Show the state of the connection for the first time. */
export function installConnection() {
  show();
}

function show() {
  const place = document.getElementById("connection");
  document.documentElement.toggleAttribute("data-stale", lostSince !== null);
  place.textContent =
    lostSince === null
      ? "Live"
      : `${reason}. Data as of ${lostSince.toLocaleTimeString()}; trying again.`;
}
