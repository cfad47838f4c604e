"""Clients that hold connections open by sending next to nothing: others do not notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.recovery import percentile
from tests.faults.refusals import refusals_of
from tests.faults.reliability_table import Row
from tests.faults.rig import rigged
from tests.faults.slow_clients import slow_clients
from tests.support.waiting import eventually

EACH = 100
HEADERS_WITHIN_S = 15.0
BODIES_WITHIN_S = 35.0
PER_S = 50
P99_MS = 50.0


@pytest.mark.faults
@pytest.mark.timeout(120)
def test_200_slow_clients_are_closed_in_time_and_slow_nobody_down(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"{EACH} clients that send a header byte and {EACH} that send a body byte a second, beside "
        f"{PER_S} calls/s",
        goal=f"normal calls p99 ≤ {P99_MS:g} ms, none failed; closed ≤ {HEADERS_WITHIN_S:g} s "
        f"(header), ≤ {BODIES_WITHIN_S:g} s (body)",
    )
    with rigged(tmp_path, "--workers", "2") as rig:
        callers = rig.callers("work", lambda n: {"number": n}, threads=4)
        with (
            slow_clients(rig.system.base_url, each=EACH, most_s=2 * BODIES_WITHIN_S) as slow,
            callers.calling(PER_S) as reported,
        ):
            eventually(lambda: slow.open_now == 2 * EACH, within_s=5)
            eventually(lambda: slow.open_now == 0, within_s=80, every_s=0.1)
        verdict = decide(rig, reported)

        took_ms = sorted(answer.took_s * 1000 for answer in reported)
        p99_ms = percentile(took_ms, 0.99)
        row.report(
            f"p50 {took_ms[len(took_ms) // 2]:.1f} ms, p99 {p99_ms:.1f} ms; closed after at most "
            f"{max(slow.headers_s):.1f} s and {max(slow.bodies_s):.1f} s"
        )
        row.judged(verdict)
        assert refusals_of(reported) == []
        assert max(slow.headers_s) <= HEADERS_WITHIN_S
        assert max(slow.bodies_s) <= BODIES_WITHIN_S
        assert p99_ms <= P99_MS
