"""A worker's event loop in a thread of its own, driven by a test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from runtime.loop import Loop

T = TypeVar("T")
_ANSWER_S = 20.0


class LoopThread:
    """Runs a loop until it is stopped.

    Attributes:
        loop: The loop; its methods are for callbacks that it calls.
    """

    def __init__(self) -> None:
        self.loop = Loop()
        self._thread = threading.Thread(target=self.loop.run, name="loop", daemon=True)
        self._thread.start()

    def do(self, act: Callable[[], T]) -> T:
        """Call something in the loop's thread; return what came of it, or raise that."""
        is_done = threading.Event()
        answers: list[T] = []
        errors: list[BaseException] = []

        def call() -> None:
            try:
                answers.append(act())
            except BaseException as error:  # noqa: BLE001 - raised where it was asked for
                errors.append(error)
            is_done.set()

        self.loop.call_soon_threadsafe(call)
        assert is_done.wait(_ANSWER_S), "the loop does not turn"
        if errors:
            raise errors[0]
        return answers[0]

    def stop(self) -> None:
        """Stop the loop, and wait for its end."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_ANSWER_S)
        assert not self._thread.is_alive()
        self.loop.close()
