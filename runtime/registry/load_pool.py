"""Load many files concurrently, so that a slow one does not delay the others.

A few load at a time. A load that takes longer than `patience_s` frees its slot for the next and
continues. Each load is a thread that waits for a child process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import structlog

from runtime.errors import LoadError, ProcessError, StoreError
from runtime.registry.discovery import FoundFile
from runtime.registry.file_loading import LoadedFile, OnPhase, Phase
from runtime.registry.manifest import FileError, fault_of

_log = structlog.get_logger(__name__)
Loaded = LoadedFile | FileError | None
Ticket = tuple[str, object]


class LoadPool:
    """Starts loads and reports their outcomes.

    Args:
        load: Loads one file; raises LoadError, or ProcessError if no process could be started.
        on_done: Called in the load's thread with the load's ticket and outcome; the outcome is None
            if the file could not be tried.
        on_phase: Called in the load's thread with its ticket, before what may take long, and with
            what that writes.
        at_once: How many quick loads may run at the same time.
        patience_s: Time after which a load counts as slow and frees its slot.
    """

    def __init__(
        self,
        *,
        load: Callable[[FoundFile, OnPhase], LoadedFile],
        on_done: Callable[[Ticket, Loaded], None],
        on_phase: Callable[[Ticket, Phase, str], None],
        at_once: int,
        patience_s: float = 0.5,
    ) -> None:
        self._load_file = load
        self._on_done = on_done
        self._on_phase = on_phase
        self._places = threading.Semaphore(at_once)
        self._patience_s = patience_s

    def begin(self, found: FoundFile, ticket: Ticket) -> None:
        """Load a file in a thread of its own."""
        name = f"load {found.file}"
        threading.Thread(target=self._load, args=(found, ticket), name=name, daemon=True).start()

    def _load(self, found: FoundFile, ticket: Ticket) -> None:
        self._places.acquire()
        given_back = threading.Lock()  # the first to acquire it frees the slot: timer or thread

        def requeue() -> None:
            if given_back.acquire(blocking=False):
                self._places.release()

        patience = threading.Timer(self._patience_s, requeue)
        patience.daemon = True
        patience.start()
        try:
            outcome = self._try(found, ticket)
        finally:
            patience.cancel()
            requeue()
        self._on_done(ticket, outcome)

    def _try(self, found: FoundFile, ticket: Ticket) -> Loaded:
        try:
            return self._load_file(found, partial(self._on_phase, ticket))
        except LoadError as error:
            return fault_of(error)
        except (ProcessError, StoreError) as error:  # neither is the file's fault
            _log.warning("load_not_tried", file=found.file, error=str(error))
        except Exception:  # noqa: BLE001 - outermost in its thread: log it, the file is retried
            _log.exception("load_crashed", file=found.file)
        return None
