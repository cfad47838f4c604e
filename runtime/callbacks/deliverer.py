"""The deliverer thread of a worker: it claims due deliveries, sends them and settles them.

The thread has an asyncio loop of its own, so neither functions nor other receivers wait for a slow
receiver. A script in Redis decides which delivery is next (receivers take turns); this process only
decides how many are in flight. While Redis is away, outcomes are kept and settled later.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable
from functools import partial

import structlog

from runtime.callbacks.config import DeliveryRules
from runtime.callbacks.dispatcher import RETRY_S, Dispatcher
from runtime.errors import StoreError
from runtime.telemetry.background import lasting_thread

_log = structlog.get_logger(__name__)


class Deliverer:
    """Sends callbacks from `start` until `stop`.

    Args:
        url: The URL of Redis.
        rules: Limits, secrets and allowed addresses.
        roll: Returns a random number in [0, 1), for jitter.
    """

    def __init__(
        self, url: str, rules: DeliveryRules, *, roll: Callable[[], float] = random.random
    ) -> None:
        self._url = url
        self._rules = rules
        self._roll = roll
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        # Wakes the loop of the thread. The thread writes it, `stop` reads it from another thread.
        self._wake: Callable[[], object] | None = None

    def start(self) -> None:
        """Start the thread. Calling it twice is safe."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = lasting_thread(self._live, name="deliverer")
            self._thread.start()

    def stop(self) -> None:
        """Stop claiming, let attempts in flight end, settle them. Calling it twice is safe."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()  # before the wake-up, so that the woken loop sees it
        notify = self._wake
        if notify is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                notify()
        thread.join(self._rules.grace_s * 2 + 1)

    def _live(self) -> None:
        while not self._stopping.is_set():
            try:
                asyncio.run(self._run())
            except Exception:  # noqa: BLE001 - the outermost loop of a thread
                _log.exception("callbacks.crashed")
                self._stopping.wait(RETRY_S)

    async def _run(self) -> None:
        changed = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, changed.set)
        dispatch = Dispatcher(self._url, self._rules, roll=self._roll, changed=changed)
        try:
            while not self._stopping.is_set():
                try:
                    await dispatch.turn()
                except StoreError as error:
                    await dispatch.wait_for_store(error)
            await dispatch.wind_up()
        finally:
            self._wake = None
            await dispatch.close()
