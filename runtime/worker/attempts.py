"""The states of an attempt in a worker: it joins broker, version cache and executor.

    claimed ──► source read ──► before_process_message ──► running ──► ended ──► settled
       │             │                 │       │              │
       │ stopping    │ Redis away      │ lost  │ skipped      │ returned, or drain time over
       └──► requeued ◄─────────────────┘       └──► settled   └──► requeued

The source is read for the first attempt of a version only, and signals are emitted only if there is
middleware. Everything runs in the loop thread, except `on_note` of attempts in threads. An
attempt stays in flight until its settlement or release is written; if the worker is killed before,
its lease runs out and another worker takes it over.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog

from runtime.broker.attempt import Attempt
from runtime.broker.in_flight import InFlight
from runtime.broker.middleware_signals import Signals
from runtime.broker.settler import Settler
from runtime.errors import StoreError, UnknownFunctionError
from runtime.execution.assignment import Assignment
from runtime.execution.executor import Executor
from runtime.execution.retry_decision import decide_outcome
from runtime.execution.run import Run
from runtime.registry.manifest import with_shorter_timeout
from runtime.registry.version_cache import VersionCache
from runtime.store.function_commands import read_source
from runtime.store.invocation_commands import Settlement
from runtime.store.loop_connection import LoopConnection
from runtime.telemetry.background import CRASHES
from runtime.worker.attempt_spans import Spans
from runtime.worker.event_writer import EventWriter
from runtime.worker.settlements import failed, settlement_of

_log = structlog.get_logger(__name__)


class Attempts:
    """The attempts of one worker process.

    Args:
        connection: The connection to read sources on.
        in_flight: The attempts that the worker holds.
        executor: Runs attempts.
        settler: Settles and requeues attempts.
        event_writer: Writes their output and events.
        spans: Traces them.
        signals: Calls Dramatiq's middleware; None if there is none.
        roll: A random number in [0, 1), for the jitter of retries.
    """

    def __init__(
        self,
        *,
        connection: LoopConnection,
        in_flight: InFlight,
        executor: Executor,
        settler: Settler,
        event_writer: EventWriter,
        spans: Spans,
        signals: Signals | None,
        roll: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._in_flight = in_flight
        self._executor = executor
        self._settler = settler
        self._event_writer = event_writer
        self._spans = spans
        self._signals = signals
        self._roll = roll
        self._catalog = VersionCache()
        self._asked: dict[str, list[Attempt]] = {}  # version -> attempts that wait for its source
        self._is_stopping = False

    def take(self, attempts: Sequence[Attempt]) -> None:
        """Run attempts that were claimed."""
        self.lose(self._in_flight.hold(attempts))
        for attempt in attempts:
            self._guard(attempt, partial(self._take, attempt))

    def cancel(self, invocation_id: str, token: int) -> None:
        """Cancel an attempt that is held, since its caller has cancelled it."""
        attempt = self._in_flight.find(invocation_id)
        if attempt is not None and attempt.claimed.token == token:
            attempt.is_cancelled = True  # for an attempt that has no run yet
            if attempt.run is not None:
                self._executor.cancel(attempt.run, by_caller=True)

    def lose(self, attempts: Iterable[Attempt]) -> None:
        """Stop attempts whose leases now belong to other attempts, here or elsewhere."""
        for attempt in attempts:
            attempt.is_lost = True
            if attempt.run is not None:
                self._executor.cancel(attempt.run)

    def begin_stopping(self) -> None:
        """Requeue what is claimed from now on; attempts that are here run to their end."""
        self._is_stopping = True

    def give_back_all(self) -> None:
        """Stop running attempts; requeue all that have not begun or do not succeed."""
        self._is_stopping = True
        for waiting in list(self._asked.values()):
            for attempt in waiting:
                self._give_back(attempt)
        self._asked.clear()
        self._executor.return_unstarted()
        for attempt in self._in_flight.held():
            attempt.is_given_back = True  # `_decide`, `_run` and `_end_run` requeue it
            if attempt.run is not None:
                self._executor.cancel(attempt.run)

    def on_note(self, run: Run, kind: str, payload: bytes) -> None:
        """Keep a piece of output or an event until it is written (`execution.run.Listener`)."""
        # Only an attempt in a thread of its own may wait for room; the loop must not.
        is_in_thread = run.manifest.options.isolation == "thread"
        self._event_writer.buffer_of(_owner(run)).put(kind, payload, waits=is_in_thread)

    def is_full(self, run: Run) -> bool:
        """Whether its events come faster than they are written (`execution.run.Listener`)."""
        pending_events = _owner(run).pending_events
        return pending_events is not None and pending_events.is_full()

    def on_ended(self, run: Run) -> None:
        """Settle a run that has ended (`execution.run.Listener`)."""
        attempt = _owner(run)
        if attempt.run is run:  # `_guard` has not failed it meanwhile
            self._guard(attempt, partial(self._end_run, attempt, run))

    def on_returned(self, run: Run) -> None:
        """Requeue a run that the executor gave back (`execution.run.Listener`)."""
        attempt = _owner(run)
        if attempt.run is run:
            attempt.run = None
            attempt.is_begun = (
                attempt.pending_events is not None
            )  # its events are stored under its attempt number, so the number is used
            self._guard(attempt, partial(self._give_back, attempt))

    def _take(self, attempt: Attempt) -> None:
        if self._is_stopping:
            self._settler.requeue(attempt)
        elif self._catalog.holds(attempt.claimed.version):
            self._start(attempt)
        else:
            self._ask(attempt)

    def _guard(self, attempt: Attempt, act: Callable[[], object]) -> None:
        """Do something for an attempt. If that raises, fail this attempt and no other.

        Expected exceptions are caught where they are raised.
        """
        try:
            act()
        except Exception as error:  # noqa: BLE001 - outermost: else it would never end
            CRASHES.note("attempts", error)
            run, attempt.run = attempt.run, None
            self._settler.settle(attempt, failed(attempt.claimed, "Penstock could not run it"))
            with contextlib.suppress(Exception):  # the first error is logged already
                self._spans.end(attempt, "failed")
                if isinstance(run, Run):
                    self._executor.cancel(run)

    def _end_run(self, attempt: Attempt, run: Run) -> None:
        attempt.run = None
        assert run.ending is not None  # noqa: S101 - for the type checker
        outcome = decide_outcome(
            run.ending,
            run.result,
            policy=run.manifest.options.retry,
            attempt=run.assignment.attempt,
            roll=self._roll(),
            logs=run.logs,
            duration_ms=round(run.ran_s * 1000),
        )
        attempt.duration_ms = outcome.duration_ms
        if attempt.is_given_back and outcome.status != "succeeded":
            self._give_back(attempt)
        else:
            self._end(attempt, settlement_of(attempt.claimed, run.manifest, outcome))

    def _start(self, attempt: Attempt) -> None:
        if attempt.is_lost:  # its lease is gone: there is nothing to write
            self._in_flight.drop([attempt])
            return
        if self._signals is None or attempt.signalled is not None:
            self._run(attempt)
        else:
            self._signals.before(attempt, partial(self._decide, attempt))

    def _decide(self, attempt: Attempt, is_wanted: bool) -> None:  # noqa: FBT001 - a callback
        """Run it, unless middleware has skipped it or its lease was lost meanwhile."""
        if is_wanted and (attempt.is_lost or attempt.is_given_back):
            self._give_back(attempt)
        elif is_wanted and not self._catalog.holds(attempt.claimed.version):  # evicted since
            self._ask(attempt)
        elif is_wanted:
            self._guard(attempt, partial(self._run, attempt))
        elif attempt.settlement is not None:
            self._settler.settle(attempt, attempt.settlement)

    def _run(self, attempt: Attempt) -> None:
        if attempt.is_lost or attempt.is_given_back:  # while middleware had it
            self._give_back(attempt)
            return
        claimed = attempt.claimed
        attempt.is_begun = True
        attempt.begun_at_ms = time.time_ns() // 1_000_000
        try:
            manifest, bundle = self._catalog.function(claimed.function, claimed.version)
        except UnknownFunctionError as error:
            self._end(attempt, failed(claimed, str(error)))
            return
        if claimed.timeout_ms:
            manifest = with_shorter_timeout(manifest, claimed.timeout_ms / 1000)
        traceparent, tracestate = self._spans.begin(attempt)
        assignment = Assignment(
            id=claimed.id,
            function=claimed.function,
            version=claimed.version,
            attempt=claimed.attempt,
            arguments=claimed.arguments,
            request=claimed.request or None,
            created_at_ms=claimed.created_at_ms,
            traceparent=traceparent or None,
            tracestate=tracestate or None,
        )
        run = Run(assignment, manifest, bundle, self, owner=attempt, created_at=time.monotonic())
        attempt.run = run
        if attempt.is_cancelled:
            run.is_cancelled = True
        self._executor.run(run)

    def _ask(self, attempt: Attempt) -> None:
        """Read the source of its version, once for all attempts that need it."""
        version = attempt.claimed.version
        if version in self._asked:
            self._asked[version].append(attempt)
            return
        # Sent first: if sending raises, `_guard` fails this attempt and no other waits in vain.
        self._connection.run(read_source(version), partial(self._answered, version))
        self._asked[version] = [attempt]

    def _answered(self, version: str, data: bytes | StoreError | None) -> None:
        waiting = self._asked.pop(version, [])
        if isinstance(data, StoreError):
            _log.warning("source_unreachable", ids=[a.claimed.id for a in waiting], error=str(data))
            for attempt in waiting:
                self._give_back(attempt)
            return
        error = f"version {version} is no longer kept"
        if data is not None:
            try:
                self._catalog.learn(version, data)
            except Exception as fault:  # noqa: BLE001 - what damaged bytes make a decoder raise
                error, data = f"version {version} cannot be read: {fault}", None
        for attempt in waiting:
            if data is None:
                self._guard(attempt, partial(self._end, attempt, failed(attempt.claimed, error)))
            else:
                self._guard(attempt, partial(self._start, attempt))

    def _end(self, attempt: Attempt, settlement: Settlement) -> None:
        self._spans.end(attempt, settlement.status, settlement.error)
        if self._signals is None:
            self._settler.settle(attempt, settlement)
        else:
            attempt.settlement = settlement
            self._signals.after(attempt, partial(self._settler.settle, attempt, settlement))

    def _give_back(self, attempt: Attempt) -> None:
        self._spans.end(attempt, "given_back")
        if self._signals is None:
            self._settler.requeue(attempt)
        else:
            self._signals.after(attempt, partial(self._settler.requeue, attempt))


def _owner(run: Run) -> Attempt:
    assert isinstance(run.owner, Attempt)  # noqa: S101 - for the type checker
    return run.owner
