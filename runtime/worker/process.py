"""One worker process: builds its parts, starts them, and stops them in order.

    main thread   the loop: claims, runs, settlements, heartbeats   `loop`
    upkeep        maintenance tasks, in turn                        `worker.maintenance`
    deliverer     callbacks                                         `callbacks.deliverer`
    publisher     only in the worker that publishes                 `registry.publisher`
    signals       only with Dramatiq middleware                     `broker.middleware_signals`

    waiting for Redis ──► running ──request_stop──► draining ──► closed

The fork server is started first: it must be forked before there are threads or connections.
"""

from __future__ import annotations

import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from functools import partial

import structlog
from dramatiq.middleware import Middleware

from runtime.broker import PenstockBroker
from runtime.broker.attempt import Attempt
from runtime.broker.claimer import ClaimCapacity, Claimer
from runtime.broker.in_flight import InFlight
from runtime.broker.middleware_signals import Signals
from runtime.broker.settler import Settler
from runtime.callbacks.deliverer import Deliverer
from runtime.dependencies.lock import Lock
from runtime.dependencies.provision import Provision
from runtime.errors import StoreError
from runtime.execution.executor import Executor
from runtime.execution.runner_protocol import RunnerLimits
from runtime.loop import Loop
from runtime.processes.fork_server import ForkServer
from runtime.registry.folder_comparison import FolderComparison
from runtime.registry.publisher import Publisher
from runtime.settings import Settings
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import retire_worker
from runtime.store.loop_connection import LoopConnection
from runtime.store.memory_policy import warn_of_eviction
from runtime.store.reconnection import AWAY_PAUSE_S
from runtime.telemetry.tracing import Tracer
from runtime.worker.attempt_spans import Spans
from runtime.worker.attempts import Attempts
from runtime.worker.control import ControlOrders
from runtime.worker.description import (
    RunningAttempt,
    WorkerEnvironments,
    WorkerLoad,
    describe_worker,
    lag_of,
)
from runtime.worker.draining import Draining
from runtime.worker.environment_watch import EnvironmentWatch
from runtime.worker.event_writer import EventWriter
from runtime.worker.heartbeat import Heartbeat
from runtime.worker.maintenance import Maintenance
from runtime.worker.maintenance_steps import upkeep_jobs
from runtime.worker.memory_usage import MemoryUse
from runtime.worker.publishing import Publishing

_log = structlog.get_logger(__name__)
_STOP_MARGIN_S = 2.0
_REMOVAL_TRIES, _REMOVAL_PAUSE_S = 20, 0.25
_RESULTS_REPORTED = 4  # an invocation keeps 4 times max_result_bytes of events
DEFAULT_QUEUE = "default"


class WorkerProcess:
    """The parts of a worker process, built from settings. Methods run in the main thread.

    Attributes:
        id: Names the worker in Redis.
        loop: What everything but its threads runs on.
        in_flight: The attempts that it holds.
        executor: Runs them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        fork_server: ForkServer,
        publisher: Publisher,
        deliverer: Deliverer,
        provision: Provision | None = None,
        tracer: Tracer | None = None,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        # Containers on their host's network share its name, and may have the same pid.
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._settings = settings
        self._fork_server = fork_server
        self._provision = provision
        self._deliverer = deliverer
        self._tracer = tracer
        self._is_looking = False
        self._stop_requested = threading.Event()

        loop = self.loop = Loop()
        self._connection = LoopConnection(settings.redis, loop)
        self.in_flight = InFlight()
        self.executor = Executor(
            loop,
            fork_server,
            provision=provision,
            size=settings.runners,
            limits=RunnerLimits(
                max_result_bytes=settings.max_result_bytes,
                max_log_bytes=settings.max_log_bytes,
                loop_stall_s=settings.loop_stall_s,
            ),
            load_timeout_s=settings.load_timeout_s,
            on_room=self._look_soon,
        )
        broker = PenstockBroker(settings.redis, middleware=middleware)
        signals = Signals(broker, loop.call_soon_threadsafe)
        self._signals = signals if signals.is_needed else None
        self._settler = Settler(loop, self._connection, self.id, on_over=self._let_go)
        self._attempts = Attempts(
            connection=self._connection,
            in_flight=self.in_flight,
            executor=self.executor,
            settler=self._settler,
            event_writer=EventWriter(
                loop, self._connection, most_bytes=_RESULTS_REPORTED * settings.max_result_bytes
            ),
            spans=Spans(tracer),
            signals=self._signals,
            roll=random.random,
        )
        self._claimer = Claimer(
            loop,
            LoopConnection(settings.redis, loop),
            worker=self.id,
            lease_ms=settings.lease_ms,
            room=self._room,
            take=self._attempts.take,
        )
        self._maintenance_connection = BlockingConnection(settings.redis)
        self._onlooker = FolderComparison(
            self._maintenance_connection,
            settings.functions,
            worker=self.id,
            is_certain=settings.publish == "always",
        )
        self._publishing = Publishing(
            publisher, self._onlooker, is_forbidden=settings.publish == "never"
        )
        self._orders = ControlOrders(
            self._attempts,
            self._claimer,
            self._publishing,
            usual=(DEFAULT_QUEUE,),
            own=settings.queues,
            remove_environment=self._remove_environment,
        )
        self._heartbeat = Heartbeat(
            loop,
            self._connection,
            LoopConnection(settings.redis, loop),
            worker=self.id,
            lease_ms=settings.lease_ms,
            interval_s=settings.heartbeat_ms / 1000,
            in_flight=self.in_flight,
            describe=self._describe,
            on_pulse=self._orders.obey_pulse,
            on_order=self._orders.obey,
            may_publish=self._publishing.may,
        )
        self._draining = Draining(
            loop,
            claimer=self._claimer,
            attempts=self._attempts,
            in_flight=self.in_flight,
            drain_s=settings.drain_s,
        )
        self._memory = MemoryUse(settings.heartbeat_ms / 1000)
        self._environment_watch = self._watch_environments()
        jobs = upkeep_jobs(
            self._maintenance_connection,
            settings,
            worker=self.id,
            onlooker=self._onlooker,
            memory=self._memory,
            is_publishing=lambda: self._publishing.is_on,
            queues=lambda: self._claimer.queues,
            environments=self._environment_watch,
        )
        self._upkeep = Maintenance(
            jobs,
            connection=self._maintenance_connection,
            waiting=BlockingConnection(settings.redis),
        )

    def _remove_environment(self, key: str) -> None:
        if self._provision is not None:
            self.executor.leave_environment(key)
            args = (self._provision, key)
            threading.Thread(target=_remove, args=args, name="remove", daemon=True).start()

    def _watch_environments(self) -> EnvironmentWatch | None:
        if self._provision is None:
            return None

        def want(lock: Lock) -> None:
            self.loop.call_soon_threadsafe(partial(self.executor.environments.want, lock))

        return EnvironmentWatch(
            self._maintenance_connection,
            want=want,
            provision=self._provision,
            most_bytes=self._settings.environment_disk,
        )

    def run(self) -> None:
        """Work until `request_stop`, in the calling thread; first wait until Redis is there."""
        while not self._stop_requested.is_set():
            try:
                self._onlooker.look()
                break
            except StoreError as error:
                _log.warning("store_is_away", error=str(error))
                self._stop_requested.wait(AWAY_PAUSE_S)
        if not self._stop_requested.is_set():
            warn_of_eviction(self._maintenance_connection)
            self.loop.call_soon(self._begin)
            self.loop.run()
        self._close()

    def request_stop(self) -> None:
        """Stop the worker. Safe to call from any thread and from signal handlers."""
        # The event ends the wait for Redis in `run`; once the loop runs, the call ends the loop.
        self._stop_requested.set()
        self.loop.call_soon_threadsafe(self._drain)

    def _begin(self) -> None:
        if self._signals is None:
            self._start()
        else:
            self._signals.before_boot(self._start)

    def _start(self) -> None:
        self._claimer.serve(self._settings.queues or (DEFAULT_QUEUE,))
        self._heartbeat.start(
            lambda: _log.info("worker_started", worker=self.id, runners=self._settings.runners)
        )
        self._deliverer.start()
        self._upkeep.start()
        if self._signals is not None:
            self._signals.after_boot()

    def _drain(self) -> None:
        if self._draining.has_begun:
            return
        _log.info("worker_stopping", worker=self.id, held=len(self.in_flight))
        if self._signals is not None:
            self._signals.before_shutdown(lambda: None)
        self._orders.begin_stopping()
        self._draining.begin(self._end)

    def _end(self) -> None:
        self._settler.stop()
        self.loop.stop()

    def _close(self) -> None:
        # First what calls user middleware or sends commands, then runners and fork server, then the
        # connections. A worker that is killed before the last step stays listed for three leases.
        if self._signals is not None:
            self._signals.stop(timeout_s=_STOP_MARGIN_S)
        self._upkeep.stop()
        self._publishing.stop()
        self._deliverer.stop()
        self._heartbeat.stop()
        self.executor.stop()
        self._fork_server.stop()
        if self._provision is not None:
            self._provision.stop()
        if self._tracer is not None:
            self._tracer.stop()
        self._claimer.close()
        self._connection.close()
        try:
            self._maintenance_connection.run(retire_worker(self.id))
        except StoreError as error:
            _log.warning("retire_failed", error=str(error))
        self._maintenance_connection.close()
        _log.info("worker_stopped", worker=self.id)

    def _let_go(self, attempts: Sequence[Attempt]) -> None:
        """Drop attempts that are settled, requeued or given up."""
        self.in_flight.drop(attempts)
        if self._signals is not None:
            for attempt in attempts:
                if attempt.settlement is not None:
                    self._signals.acknowledged(attempt)
        self._look_soon()  # `max_in_flight` may allow more now

    # The room for claims

    def _look_soon(self) -> None:
        if not self._is_looking:  # one look for all that ends in this turn of the loop
            self._is_looking = True
            self.loop.call_soon(self._look)

    def _look(self) -> None:
        self._is_looking = False
        self._claimer.look(has_more_room=True)

    def _room(self) -> ClaimCapacity:
        capacity, rooms = self.executor.capacity()
        free = max(0, self._settings.max_in_flight - len(self.in_flight))
        capacity = min(capacity, free)
        return ClaimCapacity(capacity, rooms, min(sum(rooms.values()), free - capacity))

    def _describe(self) -> bytes:
        held = self.in_flight.held()
        return describe_worker(
            queues=self._claimer.queues,
            running=[
                RunningAttempt(
                    id=attempt.claimed.id,
                    function=attempt.claimed.function,
                    started_at_ms=attempt.begun_at_ms,
                )
                for attempt in held
                if attempt.run is not None
            ],
            load=WorkerLoad(
                in_flight=len(held),
                max_in_flight=self._settings.max_in_flight,
                runners=self.executor.pool.view(),
                loop=lag_of(self.loop.take_lag()),
                runner_wait=self.executor.pool.waited(),
            ),
            publishes=self._publishing.is_on,
            functions=self._publishing.standing().view(),
            memory_bytes=self._memory.resident_bytes,
            environments=self._describe_environments(),
        )

    def _describe_environments(self) -> WorkerEnvironments:
        ready, building = self.executor.environments.view()
        watch = self._environment_watch
        return WorkerEnvironments(
            present=() if watch is None else watch.present, ready=ready, building=building
        )


def _remove(provision: Provision, key: str) -> None:
    """Remove an environment once its last processes have ended, also those of other workers."""
    for _ in range(_REMOVAL_TRIES):
        if provision.remove(key):
            _log.info("environment_removed", environment=key)
            return
        if provision.environments.find(key) is None:
            return  # another worker of this machine was faster
        time.sleep(_REMOVAL_PAUSE_S)
    _log.warning("environment_in_use", environment=key)
