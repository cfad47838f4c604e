"""Every script, with the largest arguments its callers give, against one adverse data set.

Redis runs one script at a time, so whoever takes long stops everybody: 20 ms of the server's own
time are the limit. Of several runs the quickest counts, since the machine may be busy with others.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command, all_scripts
from tests.support import adverse_check_cases, adverse_side_cases
from tests.support.adverse_cases import CASES
from tests.support.adverse_data import RUNS, Adverse, build
from tests.support.redis_server import own_redis
from tests.support.wounded_records import add_wounded

MOST_MS = 20.0
WOUNDED = 3
_NAMES = [script.name for script in all_scripts()]
_REGISTERED = (adverse_check_cases, adverse_side_cases)  # by being imported


@pytest.fixture(scope="module")
def times() -> Iterator[dict[str, float]]:
    """What every case took, shown with `pytest -s`."""
    found: dict[str, float] = {}
    yield found
    lines = (f"{ms:8.2f} ms  {what}" for what, ms in sorted(found.items(), key=lambda f: -f[1]))
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def adverse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adverse]:
    with own_redis(tmp_path_factory.mktemp("adverse")) as url:
        connection = BlockingConnection(url, timeout_s=60)
        data = build(connection)
        for _ in range(WOUNDED):
            add_wounded(data)
        yield data
        connection.close()


def spent_us(adverse: Adverse) -> float:
    """What Redis's main thread has worked since its start: pauses between do not count."""
    text = adverse.command("INFO", "cpu").decode()
    figures = dict(entry.split(":") for entry in text.split("\r\n") if ":" in entry)
    part = "_main_thread" if "used_cpu_user_main_thread" in figures else ""
    return 1e6 * sum(float(figures[f"used_cpu_{kind}{part}"]) for kind in ("user", "sys"))


def took_ms(adverse: Adverse, call: Command[Any]) -> float:
    """Run a script; what Redis says that it took, less what other processes took meanwhile."""
    adverse.command("CONFIG", "RESETSTAT")
    before = spent_us(adverse)
    adverse.connection.run(call)
    worked_us = spent_us(adverse) - before
    text = adverse.command("INFO", "commandstats").decode()
    [said] = [entry for entry in text.split("\r\n") if entry.startswith("cmdstat_evalsha:")]
    clock_us = float(said.partition("usec=")[2].partition(",")[0])
    return min(clock_us, worked_us) / 1000


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.timeout(180)
def test_a_script_takes_no_longer_than_20_ms(adverse: Adverse, times: dict[str, float], name: str):
    assert name in CASES, f"give {name}.lua a case in tests/support/adverse_cases.py"

    took = {
        what: min(took_ms(adverse, case(adverse, run)) for run in range(RUNS))
        for what, case in CASES[name].items()
    }

    times.update({f"{name} {what}": ms for what, ms in took.items()})
    assert {what: f"{ms:.1f} ms" for what, ms in took.items() if ms > MOST_MS} == {}


def test_every_case_is_of_a_script():
    assert set(CASES) <= set(_NAMES)
