"""A worker as small as can be that has its attempts signalled: one event loop, real Redis."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from dramatiq.middleware import Middleware

from runtime.broker import PenstockBroker
from runtime.broker.attempt import Attempt
from runtime.broker.middleware_signals import Signals
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import claim, release, settle

_LOOK_S = 0.005
SIGNALS = (
    *("after_process_boot", "before_worker_boot", "after_worker_boot"),
    *("after_worker_thread_boot", "before_worker_thread_shutdown"),
    *("before_worker_shutdown", "after_worker_shutdown"),
    *("before_declare_actor", "after_declare_actor"),
    *("before_declare_queue", "after_declare_queue"),
    *("before_process_message", "after_process_message", "after_skip_message"),
    *("before_ack", "after_ack", "before_nack", "after_nack"),
)


class Recorder(Middleware):
    """Notes every signal that comes; `act` may do more at it."""

    def __init__(self, act: Callable[[str], None] = lambda _: None) -> None:
        self.reported: list[str] = []
        self.threads: set[str] = set()
        self.results: list[object] = []
        self.errors: list[BaseException] = []
        self.act = act

    def of_attempts(self) -> list[str]:
        """Return the signals around attempts."""
        return [name for name in self.reported if name.endswith(("_message", "ack"))]

    def _note(self, name: str, **more: object) -> None:
        self.reported.append(name)
        self.threads.add(threading.current_thread().name)
        if name == "after_process_message":
            error = more.get("exception")
            if isinstance(error, BaseException):
                self.errors.append(error)
            else:
                self.results.append(more.get("result"))
        self.act(name)


def _noting(name: str) -> Callable[..., None]:
    return lambda self, *_, **more: self._note(name, **more)


for _name in SIGNALS:
    setattr(Recorder, _name, _noting(_name))


class SmallWorker:
    """Claims, runs and settles on the thread of its event loop."""

    def __init__(self, url: str, run: Callable[[Attempt], None], broker: PenstockBroker) -> None:
        self.loop = asyncio.new_event_loop()
        self.broker = broker
        self.signals = Signals(broker, self.loop.call_soon_threadsafe)
        self.held: list[Attempt] = []
        self._connection = BlockingConnection(url)
        self._run = run
        self._is_stopping = False
        self._thread = threading.Thread(target=self.loop.run_forever)

    def start(self) -> None:
        self._thread.start()
        begin = self._begin
        self.on_loop(lambda: self.signals.before_boot(begin) if self.signals.is_needed else begin())

    def on_loop(self, act: Callable[[], object]) -> None:
        """Do something on the loop's thread, and wait for it."""

        async def do() -> None:
            act()

        asyncio.run_coroutine_threadsafe(do(), self.loop).result(10)

    def stop(self) -> None:
        gone = threading.Event()
        self._is_stopping = True
        if self.signals.is_needed:
            self.on_loop(lambda: self.signals.before_shutdown(gone.set))
            gone.wait(1)
        self.on_loop(lambda: self.signals.stop(timeout_s=1))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        self._connection.close()

    def _begin(self) -> None:
        if self.signals.is_needed:
            self.signals.declare_queue("default")
            self.signals.after_boot()
        self._look()

    def _look(self) -> None:
        if self._is_stopping:
            return
        claiming = claim(queue="default", worker="w1", limit=8, lease_ms=10_000)
        for claimed in self._connection.run(claiming).items:
            attempt = Attempt(claimed, "default")
            self.held.append(attempt)
            if self.signals.is_needed:
                self.signals.before(attempt, partial(self._go, attempt))
            else:
                self._go(attempt, True)
        self.loop.call_later(_LOOK_S, self._look)

    def _go(self, attempt: Attempt, is_wanted: bool) -> None:
        if not is_wanted:
            self._write(attempt)
            return
        attempt.is_begun = True
        self._run(attempt)
        if self.signals.is_needed:
            self.signals.after(attempt, lambda: self._write(attempt))
        else:
            self._write(attempt)

    def _write(self, attempt: Attempt) -> None:
        self.held.remove(attempt)
        if attempt.settlement is None:
            self._connection.run(
                release([(attempt.claimed.id, attempt.claimed.token, True)], worker="w1")
            )
            return
        self._connection.run(settle([attempt.settlement], worker="w1"))
        if self.signals.is_needed:
            self.signals.acknowledged(attempt)


@contextmanager
def signalling_worker(
    url: str, run: Callable[[Attempt], None], *middleware: Middleware
) -> Iterator[SmallWorker]:
    """Run a worker whose broker has this middleware."""
    broker = PenstockBroker(url, middleware=middleware)
    worker = SmallWorker(url, run, broker)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
        broker.close()
