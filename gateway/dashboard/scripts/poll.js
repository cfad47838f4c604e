// Polling: never two requests at once, none while the tab is hidden, and less often while the
// gateway does not answer.

const LONGEST_MS = 15_000;

/**
 * Run `work` now and every `everyMs` (a number, or a function that returns it) until `signal`
 * aborts; `onError` is called with errors. Returns a function that runs it at once.
 */
export function poll(work, everyMs, signal, onError) {
  let timer = 0;
  let isRunning = false;
  let failures = 0;

  async function run() {
    clearTimeout(timer);
    if (isRunning || signal.aborted) return;
    isRunning = true;
    try {
      await work();
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      onError?.(error);
    } finally {
      isRunning = false;
      if (!signal.aborted && !document.hidden) timer = setTimeout(run, pause());
    }
  }

  function pause() {
    const usual = typeof everyMs === "function" ? everyMs() : everyMs;
    return failures ? Math.min(LONGEST_MS, Math.max(usual, 1000 * 2 ** (failures - 1))) : usual;
  }

  document.addEventListener(
    "visibilitychange",
    () => (document.hidden ? clearTimeout(timer) : run()),
    {
      signal,
    },
  );
  addEventListener("online", run, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  run();
  return run;
}
