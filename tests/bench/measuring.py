"""Does one work on one running system and returns a sample of it.

A sample holds its errors, so that nothing that went wrong can be left out later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.cli.load_order import Order, Report, read_report, start
from tests.bench.processor_clock import Moment, look, used_between
from tests.bench.running import Running
from tests.bench.works import BY_NAME, Work

CONNECTIONS = 32
_PAUSE_MS = (50.0, 100.0)
_LOOK_EVERY_S = 0.01
_LAST_LIMIT_S = 180.0


class MeasuringError(Exception):
    """A figure cannot be had; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one work on one system in one round gave.

    Attributes:
        figure: In the unit of the work.
        calls: How many were measured.
        errors: How many calls were not answered, or not as they must be.
        example: One bad answer, where there is one.
        processor_us: Processor time of the whole system (Redis included) for a call.
        others_share: Of the machine's processor time meanwhile, what nobody here used.
    """

    round: int
    system: str
    work: str
    figure: float
    calls: int
    errors: int = 0
    example: str = ""
    processor_us: float = 0.0
    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    client_processor_us: float = 0.0
    others_share: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON carries it."""
        return asdict(self)


class Measuring:
    """Measures one running system in one round.

    Args:
        system: It runs, and nothing else does.
        round_number: Which round this is.
        seconds: How long a work lasts.
        backlog: How many calls `drain` is about.
        on_tick: Called often, so that somebody who looks sees it go on.
    """

    def __init__(
        self,
        system: Running,
        *,
        round_number: int,
        seconds: float,
        backlog: int,
        on_tick: Callable[[], None],
    ) -> None:
        self._system = system
        self._round = round_number
        self._seconds = seconds
        self._backlog = backlog
        self._on_tick = on_tick

    def warm_up(self) -> None:
        """Let every process of the system do some calls."""
        self._load(BY_NAME["wait"], seconds=0.5)

    def do(self, work: Work) -> Sample:
        """Return a sample of one work, whichever it is."""
        if work.name == "accept":
            return self.accept()
        if work.name == "drain":
            return self.fill_and_drain()
        return self.measure(work)

    def measure(self, work: Work) -> Sample:
        """Return a sample of one work; but of `accept` and `drain`."""
        before = look(self._system.parts)
        if work.name == "idle":
            report = self._load(work, connections=1, pause_ms=_PAUSE_MS)
            return self._sample(work, report, before, figure=report.p50_ms)
        report = self._load(work)
        return self._sample(work, report, before, figure=report.rate)

    def measure_accept(self) -> Sample:
        """Return a sample of `accept` on a system that queues nothing: the echo."""
        before = look(self._system.parts)
        work = BY_NAME["accept"]
        report = self._load(work)
        return self._sample(work, report, before, figure=report.rate)

    def accept(self) -> Sample:
        """Return a sample of `accept`: nothing runs meanwhile, and everything does afterwards."""
        system = self._system
        system.hold()
        finished_before = system.finished()
        before = look(system.parts)
        report = self._load(BY_NAME["accept"])
        sample = self._sample(BY_NAME["accept"], report, before, figure=report.rate)
        drained = self.drain(report.accepted, finished_before)
        return replace(
            sample, errors=sample.errors + drained.errors, example=sample.example or drained.example
        )

    def fill_and_drain(self) -> Sample:
        """Return a sample of `drain`, of a queue that is filled before."""
        return self.drain(*self.fill())

    def fill(self) -> tuple[int, int]:
        """Hold the system and fill its queue; return how many wait, and had finished before."""
        self._system.hold()
        finished_before = self._system.finished()
        report = self._load(BY_NAME["accept"], seconds=600, most=self._backlog, warmup_s=0)
        return report.accepted, finished_before

    def drain(self, waiting: int, finished_before: int) -> Sample:
        """Release the system and return a sample of `drain`."""
        system = self._system
        before = look(system.parts)
        system.release()
        first_at, first_seen = 0.0, 0
        give_up_at = time.perf_counter() + _LAST_LIMIT_S
        while True:
            done = system.finished() - finished_before
            now = time.perf_counter()
            if done and not first_seen:
                first_at, first_seen = now, done
            if done >= waiting or now > give_up_at:
                break
            self._on_tick()
            time.sleep(_LOOK_EVERY_S)
        used = used_between(before, look(system.parts), client_s=0.0)
        counted = done - first_seen
        return Sample(
            round=self._round,
            system=system.plan.name,
            work="drain",
            figure=counted / (now - first_at) if counted else 0.0,
            calls=counted,
            errors=max(0, waiting - done),
            example="calls were still waiting at the end of the time" if done < waiting else "",
            processor_us=used.system_s * 1e6 / max(1, done),
            others_share=used.others_share,
        )

    def _load(
        self,
        work: Work,
        *,
        seconds: float | None = None,
        connections: int = CONNECTIONS,
        most: int = 0,
        warmup_s: float = 0.3,
        pause_ms: tuple[float, float] | tuple[()] = (),
    ) -> Report:
        pairs = [
            self._system.request(work.function, n, waits=work.waits) for n in range(connections)
        ]
        client = start(
            Order(
                host="127.0.0.1",
                port=self._system.port,
                requests=[request for request, _ in pairs],
                markers=[marker for _, marker in pairs],
                statuses=[200] if work.waits else [202],
                connections=connections,
                seconds=seconds or self._seconds,
                most=most,
                warmup_s=warmup_s,
                pause_ms=pause_ms,
            )
        )
        while client.poll() is None:
            self._on_tick()
            time.sleep(_LOOK_EVERY_S)
        return read_report(client)

    def _sample(self, work: Work, report: Report, before: Moment, *, figure: float) -> Sample:
        used = used_between(before, look(self._system.parts), client_s=report.client_cpu_s)
        return Sample(
            round=self._round,
            system=self._system.plan.name,
            work=work.name,
            figure=figure,
            calls=report.measured,
            errors=report.errors,
            example=report.example,
            processor_us=used.system_s * 1e6 / max(1, report.accepted),
            others_share=used.others_share,
            p50_ms=report.p50_ms,
            p90_ms=report.p90_ms,
            p99_ms=report.p99_ms,
            client_processor_us=report.client_cpu_s * 1e6 / max(1, report.sent),
        )
