"""How long a call waited after its process was killed until somebody ran it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.faults.witness import Run


def recoveries_s(
    records: Mapping[str, dict[str, Any]],
    runs: Mapping[str, Sequence[Run]],
    killed_at_s: Mapping[int, float],
) -> list[float]:
    """Return the time from each kill to the next run of what it cut short, sorted.

    An attempt's process is known from the witness; of one that never came to its first line,
    the worker is known from the record.
    """
    found = []
    for one, record in records.items():
        began = {run.attempt: run for run in runs.get(one, ())}
        for entry in record["attempts"]:
            attempt = entry["attempt"]
            pid = began[attempt].pid if attempt in began else _pid_of(entry["worker"])
            after = [run.began_s for run in began.values() if run.attempt > attempt]
            if entry["outcome"] == "worker_lost" and pid in killed_at_s and after:
                found.append(min(after) - killed_at_s[pid])
    return sorted(found)


def _pid_of(worker: str) -> int:
    """Return the process of a worker: its id is host, process and something random."""
    return int(worker.rsplit("-", 2)[1])


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed; 0 of none."""
    if not sorted_values:
        return 0.0
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]
