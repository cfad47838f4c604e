"""Dramatiq's signals around the attempts of a worker whose broker has middleware.

    before_process_message ─► runs ─► after_process_message ─┬─► before_ack ─► settled ─► after_ack
        │                                                    └─► requeued: no ack
        └─ SkipMessage ─► after_skip_message ─► before_ack ─► settled as "failed" ─► after_ack

The signal is `nack` instead of `ack` for an attempt that failed for good, was cancelled, or whose
message a middleware has failed. One thread, started at the first signal, emits all signals, so
middleware that blocks does not block the worker's loop. The signals of one message are emitted in
order and in one context. What a middleware raises is logged and the attempt goes on, except for
what Dramatiq does not catch in `before_process_message`: then the attempt does not run.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import dramatiq
import structlog
from dramatiq.middleware import SkipMessage

from runtime.broker.attempt import Attempt
from runtime.broker.message_proxy import MessageProxy, error_of, result_of
from runtime.store.invocation_commands import Settlement
from runtime.telemetry.background import lasting_thread

_log = structlog.get_logger(__name__)
_REJECTED = frozenset({"failed", "cancelled"})  # nack
SKIPPED = b'{"type":"rejected","message":"a middleware skipped this message","traceback":null}'
_SKIPPED_TTL_MS = 86_400_000
Act = Callable[[], object]


class Signals:
    """Emits the signals of one worker process.

    The loop thread calls the public methods; `_do_all` and what it calls run in the thread of the
    signals. A callback reaches the loop through `post`.

    Args:
        broker: The broker with the middleware.
        post: Calls a callback in the loop thread: `loop.call_soon_threadsafe`.
    """

    def __init__(
        self, broker: dramatiq.Broker, post: Callable[[Callable[[], None]], object]
    ) -> None:
        self._broker = broker
        self._post = post
        # What middleware gets as the worker, since no `dramatiq.Worker` runs here.
        self._worker = SimpleNamespace(broker=broker)
        self._acts: queue.SimpleQueue[Act | None] = queue.SimpleQueue()  # None ends the thread
        self._thread: threading.Thread | None = None  # written by the loop thread only

    @property
    def is_needed(self) -> bool:
        """Whether the broker has middleware. If not, no other method is called."""
        return bool(self._broker.middleware)

    def before_boot(self, then: Callable[[], None]) -> None:
        """Emit what precedes the start of a worker, then call `then` in the loop thread."""
        self._have_done(partial(self._broker.emit_after, "process_boot"))
        self._have_done(partial(self._broker.emit_before, "worker_boot", self._worker))
        self._have_done(partial(self._broker.emit_after, "worker_thread_boot", self._thread))
        self._have_done(partial(self._post_safely, then))

    def after_boot(self) -> None:
        """Emit that the worker has started."""
        self._have_done(partial(self._broker.emit_after, "worker_boot", self._worker))

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue at the broker, which emits its signals."""
        self._have_done(partial(self._broker.declare_queue, queue_name))

    def before(self, attempt: Attempt, then: Callable[[bool], None]) -> None:
        """Emit that an attempt is about to run.

        Args:
            attempt: An attempt that has not begun.
            then: Called in the loop thread with whether the attempt is to run. If not, the attempt
                has been skipped: it has its settlement, and must not be given to `after`.
        """
        message = attempt.signalled = MessageProxy(attempt.claimed, attempt.queue)
        self._have_done(partial(self._begin, attempt, message, then))

    def after(self, attempt: Attempt, then: Callable[[], None]) -> None:
        """Emit that an attempt has run, then call `then` in the loop thread.

        Args:
            attempt: An attempt with its settlement, or without one if it is requeued, begun or not.
                Nothing is emitted unless `before` was called for it.
            then: Writes the settlement, or requeues the attempt.
        """
        if attempt.signalled is None:
            then()
            return
        self._have_done(partial(self._end, attempt.signalled, attempt.settlement, then))

    def acknowledged(self, attempt: Attempt) -> None:
        """Emit that the settlement of an attempt is written, if `before` was called for it."""
        if attempt.signalled is not None:
            self._have_done(partial(self._acknowledge, attempt.signalled))

    def before_shutdown(self, then: Callable[[], None]) -> None:
        """Emit that the worker is about to stop, then call `then` in the loop thread."""
        self._have_done(partial(self._broker.emit_before, "worker_shutdown", self._worker))
        self._have_done(partial(self._post_safely, then))

    def stop(self, *, timeout_s: float) -> None:
        """Emit that the worker has stopped, and end the thread. Calling it twice is safe.

        Does not wait for middleware that blocks for longer than `timeout_s`.
        """
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        self._acts.put(partial(self._broker.emit_before, "worker_thread_shutdown", thread))
        self._acts.put(partial(self._broker.emit_after, "worker_shutdown", self._worker))
        self._acts.put(None)
        thread.join(timeout_s)
        if thread.is_alive():
            _log.warning("middleware_blocks", waited_s=timeout_s)

    def _have_done(self, act: Act) -> None:
        # Only the loop thread comes here, so no lock is needed to start the thread once.
        if self._thread is None:
            self._thread = lasting_thread(self._do_all, name="signals")
            self._thread.start()
        self._acts.put(act)

    def _do_all(self) -> None:
        """Emit signals until the queue holds None. Runs in the thread of the signals."""
        while (act := self._acts.get()) is not None:
            try:
                act()
            except BaseException:  # noqa: BLE001 - outermost: other attempts need their signals
                _log.exception("signal_failed")

    def _begin(self, attempt: Attempt, message: MessageProxy, then: Callable[[bool], None]) -> None:
        is_wanted = False
        try:
            is_wanted = message.context.run(self._ask, message)
            if not is_wanted:
                message.context.run(self._emit_before_ack, message)
        finally:
            # Whatever was raised: without this the attempt would be held until the worker stops.
            self._post_safely(partial(_decide, attempt, then, is_wanted=is_wanted))

    def _ask(self, message: MessageProxy) -> bool:
        """Return whether the attempt is to run."""
        try:
            self._broker.emit_before("process_message", message)
            if not message.failed:
                return True
            self._broker.emit_after("process_message", message, result=None)
        except SkipMessage as error:
            if message.failed:
                message.stuff_exception(error)
            _log.warning("message_skipped", id=message.message_id)
            self._broker.emit_after("skip_message", message)
        except BaseException as error:  # noqa: BLE001 - as in Dramatiq, it does not run
            message.stuff_exception(error)
            _log.exception("message_refused", id=message.message_id)
            self._broker.emit_after("process_message", message, exception=error)
        return False

    def _end(
        self, message: MessageProxy, settlement: Settlement | None, then: Callable[[], None]
    ) -> None:
        try:
            message.context.run(self._signal_end, message, settlement)
        finally:
            # As in `_begin`: without this the settlement would never be written.
            self._post_safely(then)

    def _signal_end(self, message: MessageProxy, settlement: Settlement | None) -> None:
        error, result = error_of(settlement), None
        if error is not None:
            message.stuff_exception(error)
        elif settlement is not None:
            result = result_of(settlement)
        if settlement is not None and settlement.status in _REJECTED:
            message.fail()
        try:
            self._broker.emit_after("process_message", message, result=result, exception=error)
        finally:
            if settlement is None:
                message.clear_exception()  # it is requeued: neither ack nor nack
            else:
                self._emit_before_ack(message)

    def _emit_before_ack(self, message: MessageProxy) -> None:
        self._broker.emit_before("nack" if message.failed else "ack", message)

    def _acknowledge(self, message: MessageProxy) -> None:
        signal = "nack" if message.failed else "ack"
        message.context.run(self._broker.emit_after, signal, message)
        message.clear_exception()

    def _post_safely(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be closed
            self._post(callback)


def _decide(attempt: Attempt, then: Callable[[bool], None], *, is_wanted: bool) -> None:
    if not is_wanted:
        attempt.settlement = skipped(attempt)
    then(is_wanted)


def skipped(attempt: Attempt) -> Settlement:
    """Return the settlement of an attempt that middleware has kept from running."""
    return Settlement(
        id=attempt.claimed.id,
        token=attempt.claimed.token,
        status="failed",
        ttl_ms=_SKIPPED_TTL_MS,
        error=SKIPPED,
    )
