"""Load many bundles concurrently, so that a slow file does not delay the others.

A few load at a time. A load that takes longer than `patience_s` frees its slot for the next and
continues. Each load is a thread that waits for a child process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from runtime.errors import LoadError, ProcessError
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import FileError, Manifest, fault_of

_log = structlog.get_logger(__name__)
Loaded = tuple[Manifest, ...] | FileError | None
Ticket = tuple[str, object]


class LoadPool:
    """Starts loads and reports their outcomes.

    Args:
        inspect: Loads one bundle; raises LoadError, or ProcessError if no process could be started.
        on_done: Called in the load's thread with the load's ticket and outcome; the outcome is None
            if the file could not be tried.
        at_once: How many quick loads may run at the same time.
        patience_s: Time after which a load counts as slow and frees its slot.
    """

    def __init__(
        self,
        *,
        inspect: Callable[[Bundle], Sequence[Manifest]],
        on_done: Callable[[Ticket, Loaded], None],
        at_once: int,
        patience_s: float = 0.5,
    ) -> None:
        self._inspect = inspect
        self._on_done = on_done
        self._places = threading.Semaphore(at_once)
        self._patience_s = patience_s

    def begin(self, bundle: Bundle, ticket: Ticket) -> None:
        """Load a bundle in a thread of its own."""
        name = f"load {bundle.file}"
        threading.Thread(target=self._load, args=(bundle, ticket), name=name, daemon=True).start()

    def _load(self, bundle: Bundle, ticket: Ticket) -> None:
        self._places.acquire()
        given_back = threading.Lock()  # the first to acquire it frees the slot: timer or thread

        def requeue() -> None:
            if given_back.acquire(blocking=False):
                self._places.release()

        patience = threading.Timer(self._patience_s, requeue)
        patience.daemon = True
        patience.start()
        try:
            outcome = self._try(bundle)
        finally:
            patience.cancel()
            requeue()
        self._on_done(ticket, outcome)

    def _try(self, bundle: Bundle) -> Loaded:
        try:
            return tuple(self._inspect(bundle))
        except LoadError as error:
            return fault_of(error)
        except ProcessError as error:
            _log.warning("load_not_tried", file=bundle.file, error=str(error))
        except Exception:  # noqa: BLE001 - outermost in its thread: log it, the file is retried
            _log.exception("load_crashed", file=bundle.file)
        return None
