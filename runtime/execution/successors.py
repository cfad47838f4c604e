"""The next runner of a function whose last one must not be used again, loaded before it is needed.

A function that leaves something running costs its runner every time. Its next call need not wait
for another: one is made ready meanwhile, where there is a place for it.
"""

from __future__ import annotations

import contextlib
import threading

import structlog

from runtime.errors import ChannelClosedError, ProcessError
from runtime.execution.ears import Ears, Logs
from runtime.execution.runner import RunnerKey
from runtime.execution.runner_frames import Limits
from runtime.execution.runner_pool import RunnerPool
from runtime.registry.bundle import Bundle

_log = structlog.get_logger(__name__)
_MOST_TOLD = 1_000


class Successors:
    """Makes runners ready in the background; safe to use from many threads."""

    def __init__(self, runners: RunnerPool, *, limits: Limits, load_timeout_s: float) -> None:
        self._runners = runners
        self._limits = limits
        self._load_timeout_s = load_timeout_s
        self._told: set[tuple[str, str]] = set()

    def make_ready(self, key: RunnerKey, bundle: Bundle, function: str, left: str) -> None:
        """Make one ready in place of a runner in which a call of `function` has left something."""
        if (function, key.version) not in self._told:
            if len(self._told) >= _MOST_TOLD:
                self._told.clear()
            self._told.add((function, key.version))
            _log.info("runner_not_used_again", function=function, version=key.version, left=left)
        threading.Thread(
            target=self._make_ready, args=(key, bundle), name="successor", daemon=True
        ).start()

    def _make_ready(self, key: RunnerKey, bundle: Bundle) -> None:
        try:
            runner = self._runners.acquire_spare(key)
        except ProcessError:  # whoever needs one is told
            return
        if runner is None:
            return
        deaf = Ears(Logs(0), _drop, lambda: None)
        try:
            with contextlib.suppress(TimeoutError, ChannelClosedError):
                limit_s = self._load_timeout_s
                runner.load(bundle.encode(), self._limits, timeout_s=limit_s, ears=deaf)
        finally:  # whatever happens, its place must not be taken for ever
            if runner.is_sound:
                self._runners.release(runner)
            else:
                self._runners.discard(runner)


def _drop(kind: str, payload: bytes) -> None:
    del kind, payload
