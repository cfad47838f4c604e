"""Processor time between two moments: of the system under test, and of everybody else.

What others use is what makes a run noisy, so every sample tells it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from tests.bench.processes import cpu_s_each
from tests.bench.running import Running

_AT_REST = ("idle", "iowait", "guest", "guest_nice")  # guests are counted in user and nice


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was used until now.

    Attributes:
        by_process: Seconds, of each process of the system.
        busy_s: Of the whole machine.
        own_s: Of this process, and of what helps it to measure.
    """

    by_process: dict[int, float]
    busy_s: float
    own_s: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was used between two moments: by the system, and the share others had of the machine."""

    system_s: float
    others_share: float


def look(system: Running) -> Moment:
    """Return what was used until now."""
    whole = psutil.cpu_times()._asdict()
    helpers = cpu_s_each(process.pid for process in system.helpers.processes())
    return Moment(
        by_process=cpu_s_each(process.pid for process in system.parts.processes()),
        busy_s=sum(spent for name, spent in whole.items() if name not in _AT_REST),
        own_s=time.process_time() + sum(helpers.values()),
        at=time.monotonic(),
    )


def used_between(before: Moment, after: Moment, *, client_s: float) -> Used:
    """Return what was used in between; `client_s` is what the load client used."""
    system_s = sum(
        spent - before.by_process.get(pid, 0.0) for pid, spent in after.by_process.items()
    )
    ours_s = system_s + client_s + after.own_s - before.own_s
    room_s = (after.at - before.at) * (psutil.cpu_count() or 1)
    others_s = max(0.0, after.busy_s - before.busy_s - ours_s)
    return Used(system_s=system_s, others_share=min(1.0, others_s / room_s) if room_s else 0.0)
