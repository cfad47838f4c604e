"""One worker process: everything in it, started and stopped in order.

    fork server → teller, broker, Dramatiq worker → heart → publisher (when elected), deliverer,
    upkeep

The fork server comes first: it must be forked off before there are threads or
connections. Stopping goes the other way round: nothing new is claimed, what runs
gets `drain_s`, what is left goes back to its lane.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Collection

import msgspec
import structlog

from runtime.broker import PenstockBroker
from runtime.broker.attempt_worker import AttemptWorker
from runtime.broker.worker_side import WorkerSide
from runtime.callbacks.deliverer import Deliverer
from runtime.errors import StoreError
from runtime.execution.executor import Executor
from runtime.processes.fork_server import ForkServer
from runtime.registry.catalog import Catalog
from runtime.registry.onlooker import Onlooker
from runtime.registry.publisher import Publisher
from runtime.registry.standing import Standing
from runtime.settings import Settings
from runtime.store.invocation_calls import Pulse, retire_worker
from runtime.store.line import Line
from runtime.store.memory_policy import danger_of, read_memory_policy
from runtime.telemetry.tracing import Tracer
from runtime.worker.cancelling import Canceller
from runtime.worker.heart import Heart
from runtime.worker.memory import resident_bytes
from runtime.worker.running import AttemptRunner
from runtime.worker.teller import Teller
from runtime.worker.traced import traced
from runtime.worker.upkeep import Upkeep
from runtime.worker.upkeep_jobs import upkeep_jobs

_log = structlog.get_logger(__name__)
_AWAY_PAUSE_S = 0.25
_STOP_MARGIN_S = 2.0
_RESULTS_TOLD = 4  # an invocation keeps so many times the longest result of what it told
DEFAULT_QUEUE = "default"


class WorkerProcess:
    """The parts of a worker process, wired from settings."""

    def __init__(
        self,
        settings: Settings,
        *,
        fork_server: ForkServer,
        executor: Executor,
        publisher: Publisher,
        deliverer: Deliverer,
        tracer: Tracer | None = None,
    ) -> None:
        # Containers on their host's network have its name and may have one pid in common.
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._settings = settings
        self._fork_server = fork_server
        self._executor = executor
        self._publisher = publisher
        self._deliverer = deliverer
        self._tracer = tracer
        self._is_publishing = False
        upkeep_line = Line(settings.redis)
        self._onlooker = Onlooker(
            upkeep_line,
            settings.functions,
            worker=self.id,
            is_certain=settings.publish == "always",
        )
        jobs = upkeep_jobs(
            upkeep_line,
            settings,
            worker=self.id,
            onlooker=self._onlooker,
            is_publishing=lambda: self._is_publishing,
            queues=lambda: tuple(self._broker.queues),
        )
        self._upkeep = Upkeep(jobs, line=upkeep_line, waiting=Line(settings.redis))
        side = self._side = WorkerSide(
            Line(settings.redis),
            worker=self.id,
            lease_ms=settings.lease_ms,
            places=settings.runners,
        )
        self._line = Line(settings.redis)
        self._teller = Teller(
            Line(settings.redis), most_bytes=_RESULTS_TOLD * settings.max_result_bytes
        )
        self._canceller = Canceller(side.holdings, executor)
        runner = AttemptRunner(
            catalog=Catalog(Line(settings.redis)),
            executor=executor,
            teller=self._teller,
            step_aside=side.work_queue.step_aside,
            is_instant=side.foresight.is_instant,
            # A traced run has a context of its own, which it gets when its turn has come.
            set_apart=None if tracer else side.work_queue.set_apart,
        )
        side.work_queue.let_go = executor.let_go
        side.run = traced(runner.run, tracer)
        self._broker = PenstockBroker(settings.redis, worker_side=side)
        self._dramatiq = AttemptWorker(self._broker, side)
        self._heart = Heart(
            line=self._line,
            worker=self.id,
            lease_ms=settings.lease_ms,
            interval_s=settings.heartbeat_ms / 1000,
            holdings=side.holdings,
            describe=self._describe,
            on_pulse=self._obey,
            may_publish=self._may_publish,
            on_order=self._obey_order,
        )

    def start(self, stop_requested: threading.Event) -> None:
        """Start every part; waits for a Redis that is away until `stop_requested`."""
        self._teller.start()
        self._side.start()
        self._dramatiq.start()
        for queue in self._settings.queues or (DEFAULT_QUEUE,):
            self._broker.declare_queue(queue)
        while not stop_requested.is_set():
            try:
                self._onlooker.look()
                self._heart.beat()
                break
            except StoreError as error:
                _log.warning("store_is_away", error=str(error))
                stop_requested.wait(_AWAY_PAUSE_S)
        self._tell_memory_policy()
        self._heart.start()
        self._deliverer.start()
        self._upkeep.start()
        _log.info("worker_started", worker=self.id, runners=self._settings.runners)

    def _tell_memory_policy(self) -> None:
        try:
            danger = danger_of(self._line.run(read_memory_policy()))
        except StoreError as error:  # a server that does not tell: the operator is asked to know
            _log.info("memory_policy_unread", error=str(error))
        else:
            if danger:
                _log.warning("redis_may_evict", why=danger)

    def stop(self) -> None:
        """Drain and stop; what does not finish in time goes back to its lane."""
        _log.info("worker_stopping", worker=self.id, held=self._side.holdings.count())
        self._side.stopping.set()
        self._publisher.stop()
        self._side.holdings.wait_until_empty(timeout_s=self._settings.drain_s)
        self._give_back_the_rest()
        self._side.settler.stop()
        self._broker.interrupt()
        self._dramatiq.stop(timeout=int(_STOP_MARGIN_S * 1000))
        self._teller.stop()
        self._upkeep.stop()
        self._deliverer.stop()
        self._heart.stop()
        self._executor.stop()
        self._fork_server.stop()
        if self._tracer is not None:
            self._tracer.stop()
        try:
            self._line.run(retire_worker(self.id))
        except StoreError as error:
            _log.warning("retire_failed", error=str(error))
        self._side.close()
        self._broker.close()
        _log.info("worker_stopped", worker=self.id)

    def _give_back_the_rest(self) -> None:
        self._side.settler.give_back(self._side.work_queue.take_back())
        for attempt in self._side.holdings.held():
            attempt.is_given_back = True
            self._executor.cancel(attempt.claimed.id)
        self._side.holdings.wait_until_empty(timeout_s=_STOP_MARGIN_S)

    def _obey(self, pulse: Pulse) -> None:
        if pulse.lost:  # by attempt, since this worker may have claimed one anew
            for attempt in self._side.holdings.held():
                if attempt.is_lost:
                    self._executor.cancel(attempt.claimed.id)
        self._canceller.look_after(pulse.cancelling)
        for queue in pulse.queues:
            if not self._settings.queues or queue in self._settings.queues:
                self._broker.declare_queue(queue)
        self._forget_queues(pulse.queues)
        if pulse.publishes and not self._is_publishing and not self._side.stopping.is_set():
            self._is_publishing = True
            self._publisher.start()
        elif self._is_publishing and not pulse.publishes:
            self._is_publishing = False
            self._publisher.stop()

    def _obey_order(self, order: bytes) -> None:
        kind, _, rest = order.partition(b" ")
        if kind == b"publish":
            self._publisher.tell(withdraw_missing=rest == b"withdraw_missing")
        else:
            self._canceller.obey(order)

    def _standing(self) -> Standing:
        return self._publisher.standing or self._onlooker.standing

    def _may_publish(self) -> int:
        """Return how much this worker may be the one that publishes, for its heartbeat."""
        if self._settings.publish == "never":
            return 0
        return 2 if self._standing().may_replace or self._publisher.is_told else 1

    def _forget_queues(self, known: Collection[str]) -> None:
        """End the consumers of queues that are no more; what is in hand keeps its own."""
        kept = {*known, *(self._settings.queues or (DEFAULT_QUEUE,))}
        kept |= {attempt.queue for attempt in self._side.holdings.held()}
        for queue in set(self._broker.queues) - kept:
            self._broker.forget_queue(queue)
            self._dramatiq.end_consumer(queue)

    def _describe(self) -> bytes:
        held = self._side.holdings.held()
        return msgspec.json.encode(
            {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "queues": sorted(self._broker.queues),
                "running": [
                    {
                        "id": attempt.claimed.id,
                        "function": attempt.claimed.function,
                        "started_at_ms": attempt.begun_at_ms,
                    }
                    for attempt in held
                    if attempt.is_begun
                ],
                "publishes": self._is_publishing,
                "functions": self._standing().view(),
                "memory_bytes": resident_bytes(os.getpid()),
            }
        )
