"""Attempts that run at the same time in one runner, of which one may do harm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.integration.execution import driving
from tests.integration.execution.bench import Attempt, Bench
from tests.integration.execution.written import Written, write

COUNT = 100
ILL = 42  # the one that does harm
REST = "await asyncio.sleep(0.3)"
_SOURCE = Path(driving.__file__).read_text(encoding="utf-8")


def driven(name: str = "do", **options: object) -> Written:
    """Publish the driving file, for one of its functions."""
    return write(_SOURCE, name=name, **{"per_process": COUNT, **options})


def codes(harm: str, rest: str = REST, count: int = COUNT) -> list[bytes]:
    """Arguments of attempts of which one does harm."""
    return [json.dumps({"code": harm if n == ILL else rest}).encode() for n in range(count)]


def run(bench: Bench, harm: str, rest: str = REST, **options: object) -> list[Attempt]:
    """Run a hundred at the same time, of which one does harm; return them when all have ended."""
    attempts = bench.submit_all(driven(**options), codes(harm, rest))
    return wait(attempts)


def wait(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return these when all have ended."""
    for attempt in attempts:
        attempt.wait()
    return list(attempts)


def only_ill(kind: str) -> list[str]:
    """What `kinds` returns when the ill one ended like this, and all others well."""
    return ["succeeded"] * ILL + [kind] + ["succeeded"] * (COUNT - ILL - 1)
