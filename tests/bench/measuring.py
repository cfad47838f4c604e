"""Does one work on one running system and returns a sample of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.cli.load.plan import LoadPlan, LoadReport, read_report, start
from tests.bench.processor_clock import Moment, look, used_between
from tests.bench.running import Running
from tests.bench.sample import Sample
from tests.bench.works import BY_NAME, Work

MOST_CALLERS = 1000
_LOOK_EVERY_S = 0.01
_LAST_LIMIT_S = 180.0
_PATIENCE_S = 40.0  # longer than anybody is told to wait


class MeasuringError(Exception):
    """A figure cannot be had; the text says why."""


class Measuring:
    """Measures one running system in one round.

    Args:
        system: It runs, and nothing else does.
        round_number: Which round this is.
        seconds: How long a work lasts.
        backlog: How many calls a drain is about.
        callers: How many call at once at most.
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
        callers: int = MOST_CALLERS,
    ) -> None:
        self._system = system
        self._round = round_number
        self._seconds = seconds
        self._backlog = backlog
        self._callers = callers
        self._on_tick = on_tick

    def warm_up(self, works: Iterable[Work] = ()) -> None:
        """Let every process of the system do some calls, of what will be drained, too."""
        functions = ["noop", *(work.function for work in works if work.kind == "drain")]
        for function in dict.fromkeys(functions):
            self._load(replace(BY_NAME["wait"], function=function), seconds=0.5)

    def do(self, work: Work) -> Sample:
        """Return a sample of one work, whichever it is."""
        if self._system.plan.kind == "echo":
            return self.measure(work)
        if work.kind == "accept":
            return self.accept(work)
        if work.kind == "drain":
            return self.fill_and_drain(work)
        return self.measure(work)

    def measure(self, work: Work) -> Sample:
        """Return a sample of one work whose callers say how it went; nothing is held."""
        before = look(self._system)
        memory_mb: list[float] = []
        half_way = lambda: memory_mb.append(self._system.parts.memory_mb())  # noqa: E731
        report = self._load(work, half_way=half_way if work.group == "waiting" else None)
        return self._sample(work, report, before, memory_mb=max(memory_mb, default=0.0))

    def accept(self, work: Work) -> Sample:
        """Return a sample of `accept`: nothing runs meanwhile, and everything does afterwards.

        But of calls with a callback: those stay, as their deliveries are no part of accepting.
        """
        system = self._system
        system.hold()
        finished_before = system.finished(work.function)
        before = look(system)
        report = self._load(work)
        sample = self._sample(work, report, before)
        if "callback" in work.shown:
            return sample
        drained = self.drain(BY_NAME["drain"], report.accepted, finished_before)
        return replace(
            sample, errors=sample.errors + drained.errors, example=sample.example or drained.example
        )

    def fill_and_drain(self, work: Work = BY_NAME["drain"]) -> Sample:
        """Return a sample of a drain, of a queue that is filled before."""
        return self.drain(work, *self.fill(work))

    def fill(self, work: Work = BY_NAME["drain"]) -> tuple[int, int]:
        """Hold the system and fill its queue; return how many wait, and had finished before."""
        self._system.hold()
        finished_before = self._system.finished(work.function)
        filling = replace(BY_NAME["accept"], function=work.function)
        report = self._load(filling, seconds=600, most=self._backlog, warmup_s=0)
        return report.accepted, finished_before

    def drain(self, work: Work, waiting: int, finished_before: int) -> Sample:
        """Release the system and return a sample of a drain."""
        system = self._system
        before = look(system)
        system.release()
        first_at, first_seen = 0.0, 0
        give_up_at = time.perf_counter() + _LAST_LIMIT_S
        while True:
            done = system.finished(work.function) - finished_before
            now = time.perf_counter()
            if done and not first_seen:
                first_at, first_seen = now, done
            if done >= waiting or now > give_up_at:
                break
            self._on_tick()
            time.sleep(_LOOK_EVERY_S)
        used = used_between(before, look(system), client_s=0.0)
        counted = done - first_seen
        return Sample(
            round=self._round,
            system=system.plan.name,
            work=work.name,
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
        most: int = 0,
        warmup_s: float | None = None,
        half_way: Callable[[], None] | None = None,
    ) -> LoadReport:
        """Have a client call; `half_way` is called once, in the middle of what is measured."""
        connections = work.connections
        if not work.calls_per_s:  # there they are what may be under way, not who calls
            connections = min(connections, self._callers)
        pairs = [
            self._system.request(work.function, n, waits=work.waits, shown=work.shown)
            for n in range(connections)
        ]
        order = LoadPlan(
            host="127.0.0.1",
            port=self._system.port,
            requests=[request for request, _ in pairs],
            markers=[marker for _, marker in pairs],
            statuses=[200] if work.waits else [202],
            connections=connections,
            seconds=seconds or max(self._seconds, work.at_least_s),
            most=most,
            warmup_s=work.warmup_s if warmup_s is None else warmup_s,
            pause_ms=work.pause_ms,
            ramp_s=work.ramp_s,
            calls_per_s=work.calls_per_s,
            patience_s=_PATIENCE_S,
        )
        client = start(order)
        half_way_at = time.monotonic() + order.warmup_s + order.seconds / 2
        while client.poll() is None:
            self._on_tick()
            if half_way is not None and time.monotonic() > half_way_at:
                half_way()
                half_way = None
            time.sleep(_LOOK_EVERY_S)
        return read_report(client)

    def _sample(
        self, work: Work, report: LoadReport, before: Moment, *, memory_mb: float = 0.0
    ) -> Sample:
        used = used_between(before, look(self._system), client_s=report.client_cpu_s)
        processor_us = used.system_s * 1e6 / max(1, report.accepted)
        figures = {"lone": report.p50_ms, "steady": processor_us}
        return Sample(
            round=self._round,
            system=self._system.plan.name,
            work=work.name,
            figure=figures.get(work.kind, report.rate),
            calls=report.measured,
            errors=report.errors,
            example=report.example,
            processor_us=processor_us,
            memory_mb=memory_mb,
            others_share=used.others_share,
            p50_ms=report.p50_ms,
            p90_ms=report.p90_ms,
            p99_ms=report.p99_ms,
            client_processor_us=report.client_cpu_s * 1e6 / max(1, report.sent),
        )
