"""Dramatiq's signals around the attempts of a worker whose broker has middleware.

    before_process_message → the attempt runs → after_process_message
        → before_ack or before_nack → its ending is written → after_ack or after_nack
    SkipMessage in the first: after_skip_message, and the attempt is rejected without being run

All signals are emitted in one thread, which is made at the first use: middleware may block, and
holds up no event loop. Those of one message come in order and in one context. What a middleware
raises is logged, and the attempt goes on.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial

import dramatiq
import structlog
from dramatiq.middleware import SkipMessage

from runtime.broker.attempt import Attempt
from runtime.broker.message_proxy import MessageProxy, error_of, result_of
from runtime.store.invocation_commands import Settlement
from runtime.telemetry.background import lasting_thread

_log = structlog.get_logger(__name__)
_REJECTED = frozenset({"failed", "cancelled"})  # final, and no success
SKIPPED = b'{"type":"rejected","message":"a middleware skipped this message","traceback":null}'
_SKIPPED_TTL_MS = 86_400_000
Act = Callable[[], object]


class SignallingWorker:
    """What middleware is given as the worker, as no `dramatiq.Worker` runs here.

    Attributes:
        broker: The worker's broker.
    """

    def __init__(self, broker: dramatiq.Broker) -> None:
        self.broker = broker


class Signals:
    """Emits the signals of one worker process. The methods are for the loop thread.

    Args:
        broker: Whose middleware is told.
        post: Has a callback called by the loop thread: `loop.call_soon_threadsafe`.
    """

    def __init__(
        self, broker: dramatiq.Broker, post: Callable[[Callable[[], None]], object]
    ) -> None:
        self._broker = broker
        self._post = post
        self._worker = SignallingWorker(broker)
        self._acts: queue.SimpleQueue[Act | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def is_needed(self) -> bool:
        """Whether there is middleware; while there is none, nothing else of this is called."""
        return bool(self._broker.middleware)

    def before_boot(self, then: Callable[[], None]) -> None:
        """Say that the worker is about to start; `then` is called by the loop thread."""
        self._have_done(partial(self._broker.emit_after, "process_boot"))
        self._have_done(partial(self._broker.emit_before, "worker_boot", self._worker))
        self._have_done(partial(self._broker.emit_after, "worker_thread_boot", self._thread))
        self._have_done(partial(self._post_safely, then))

    def after_boot(self) -> None:
        """Say that the worker has started."""
        self._have_done(partial(self._broker.emit_after, "worker_boot", self._worker))

    def declare_queue(self, queue_name: str) -> None:
        """Have the broker declare a queue, with the signals of that."""
        self._have_done(partial(self._broker.declare_queue, queue_name))

    def before(self, attempt: Attempt, then: Callable[[bool], None]) -> None:
        """Say that an attempt is about to run.

        Args:
            attempt: One that has not begun.
            then: Called by the loop thread with whether it is to run. If not, it has been skipped:
                it has its settlement, and does not go to `after`.
        """
        message = attempt.signalled = MessageProxy(attempt.claimed, attempt.queue)
        self._have_done(partial(self._begin, attempt, message, then))

    def after(self, attempt: Attempt, then: Callable[[], None]) -> None:
        """Say that an attempt has run; `then` is called by the loop thread.

        Args:
            attempt: One that `before` was told of, with its settlement; without one where it goes
                back to its queue, begun or not.
            then: Has the settlement written, or the attempt given back.
        """
        if attempt.signalled is None:
            then()
            return
        self._have_done(partial(self._end, attempt.signalled, attempt.settlement, then))

    def acknowledged(self, attempt: Attempt) -> None:
        """Say that the settlement of an attempt that `before` was told of has been written."""
        if attempt.signalled is not None:
            self._have_done(partial(self._acknowledge, attempt.signalled))

    def before_shutdown(self, then: Callable[[], None]) -> None:
        """Say that the worker is about to stop; `then` is called by the loop thread."""
        self._have_done(partial(self._broker.emit_before, "worker_shutdown", self._worker))
        self._have_done(partial(self._post_safely, then))

    def stop(self, *, timeout_s: float) -> None:
        """Say that the worker has stopped, and end the thread; twice is safe.

        Middleware that blocks for longer than `timeout_s` is left behind.
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
        if self._thread is None:
            self._thread = lasting_thread(self._do_all, name="signals")
            self._thread.start()
        self._acts.put(act)

    def _do_all(self) -> None:
        """Emit until told to end (in the thread of the signals, as all that follows)."""
        while (act := self._acts.get()) is not None:
            try:
                act()
            except BaseException:  # noqa: BLE001 - outermost: the others must be told
                _log.exception("signal_failed")

    def _begin(self, attempt: Attempt, message: MessageProxy, then: Callable[[bool], None]) -> None:
        is_wanted = False
        try:
            is_wanted = message.context.run(self._ask, message)
            if not is_wanted:
                message.context.run(self._emit_before_ack, message)
        finally:
            self._post_safely(partial(_decide, attempt, then, is_wanted=is_wanted))

    def _ask(self, message: MessageProxy) -> bool:
        """Return whether the middleware lets an attempt run."""
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
        except BaseException as error:  # noqa: BLE001 - as Dramatiq: then it does not run
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
                message.clear_exception()
            else:
                self._emit_before_ack(message)

    def _emit_before_ack(self, message: MessageProxy) -> None:
        self._broker.emit_before("nack" if message.failed else "ack", message)

    def _acknowledge(self, message: MessageProxy) -> None:
        signal = "nack" if message.failed else "ack"
        message.context.run(self._broker.emit_after, signal, message)
        message.clear_exception()

    def _post_safely(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._post(callback)


def _decide(attempt: Attempt, then: Callable[[bool], None], *, is_wanted: bool) -> None:
    if not is_wanted:
        attempt.settlement = skipped(attempt)
    then(is_wanted)


def skipped(attempt: Attempt) -> Settlement:
    """Return the settlement of an attempt that a middleware does not let run."""
    return Settlement(
        id=attempt.claimed.id,
        token=attempt.claimed.token,
        status="failed",
        ttl_ms=_SKIPPED_TTL_MS,
        error=SKIPPED,
    )
