"""The one oracle: what must be true of every scenario once the dust has settled.

It joins three tellings that share no code: what callers were told (`Answer`), what the functions'
runs wrote down (`Witness`), and what the system says in the end. It counts what may happen (runs
again, recoveries) and lists under a name what may not.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.at_rest import is_idle, left_over
from tests.faults.calling import Answer
from tests.faults.onlooker import without_callback
from tests.faults.recovery import recoveries_s
from tests.faults.rig import Rig
from tests.faults.witness import Run
from tests.support.receiver import Receiver
from tests.support.system import FINISHED
from tests.support.waiting import eventually

SETTLED_AFTER_S = 2.0
# How an attempt ends whose function may not have come to its first line.
_CUT_SHORT = frozenset({"worker_lost", "given_back"})
_SHOWN = 5


@dataclass(slots=True)
class Verdict:
    """What was counted, and every breach of a promise by its name."""

    calls: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, list[Run]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    run_again: int = 0
    ended_twice: int = 0
    recovery_s: list[float] = field(default_factory=list)
    breaches: dict[str, list[str]] = field(default_factory=dict)

    def breach(self, name: str, items: Iterable[object]) -> None:
        """Note what breaks the promise called `name`, if anything does."""
        if found := [str(item) for item in items]:
            self.breaches[name] = found

    def shown(self) -> str:
        """Return the breaches, a few of each."""
        return "; ".join(
            f"{name}: {len(items)} ({', '.join(items[:_SHOWN])})"
            for name, items in self.breaches.items()
        )

    def require(self) -> None:
        """Fail unless every promise was kept."""
        assert not self.breaches, self.shown()


def decide(
    rig: Rig,
    reported: Sequence[Answer],
    *,
    receiver: Receiver | None = None,
    endings: frozenset[str] = frozenset({"succeeded"}),
    within_s: float = 60,
    never_ran: frozenset[str] = frozenset(),
    runs_per_attempt: int = 1,
) -> Verdict:
    """Wait until all is at rest, then compare what was told, seen and kept.

    Args:
        rig: The system and its witnesses.
        reported: Every call that was made.
        receiver: Where callbacks went, if calls named one.
        endings: How calls may end.
        within_s: How long it may take to come to rest.
        never_ran: Endings of calls that need not have run.
        runs_per_attempt: How often each attempt may have been run.
    """
    eventually(lambda: is_idle(rig.redis), within_s=within_s, every_s=0.2)
    eventually(lambda: not left_over(rig.redis), within_s=within_s, every_s=1)
    ids = {answer.id for answer in reported if answer.id}
    verdict = Verdict(calls=len(ids))
    verdict.breach("never acknowledged", [a.key for a in reported if not a.id])
    _judge_endings(verdict, rig, ids, endings)
    _judge_runs(verdict, rig, ids, never_ran, runs_per_attempt)
    if receiver is not None:
        _judge_callbacks(verdict, ids, receiver)
    verdict.breach("not empty at rest", left_over(rig.redis))
    verdict.breach("does not fit", rig.redis.check())
    return verdict


def listed(rig: Rig) -> dict[str, dict[str, Any]]:
    """Return every invocation of the witnessed functions, by id."""
    found: dict[str, dict[str, Any]] = {}
    path = "/invocations?limit=100"
    while path:
        page = _get(rig, path)
        found |= {item["id"]: item for item in page.json()["items"]}
        path = page.links["next"]["url"] if "next" in page.links else ""
    return found


def _get(rig: Rig, path: str) -> httpx.Response:
    """Ask until a gateway answers: it may just have been killed."""

    def ask() -> httpx.Response | None:
        try:
            answer = rig.system.http.get(path)
        except httpx.TransportError:
            return None
        return answer if answer.status_code == httpx.codes.OK else None

    return eventually(ask, within_s=20, every_s=0.1)


def _judge_endings(verdict: Verdict, rig: Rig, ids: set[str], endings: frozenset[str]) -> None:
    records = listed(rig)
    rest = SETTLED_AFTER_S + time.monotonic()
    verdict.records = records
    verdict.endings = Counter(record["status"] for record in records.values())
    verdict.lost = sorted(one for one in ids if records.get(one, {}).get("status") not in FINISHED)
    verdict.breach("lost", (f"{i} {records.get(i, {}).get('status')}" for i in verdict.lost))
    strangers = set(records) - ids
    wrong = {i for i in ids & set(records) if records[i]["status"] not in endings}
    verdict.unexpected = sorted(strangers | wrong)
    verdict.breach("nobody was told of", strangers)
    verdict.breach("ended otherwise", (f"{i} {records[i]['status']}" for i in wrong))
    eventually(lambda: time.monotonic() >= rest, within_s=SETTLED_AFTER_S + 1, every_s=0.1)
    later = listed(rig)
    verdict.breach(
        "changed after the end",
        {
            *rig.onlooker.changed,
            *(i for i, was in rig.onlooker.seen.items() if _differs(was, later.get(i))),
            *(i for i, was in records.items() if _differs(was, later.get(i))),
        },
    )


def _differs(was: dict[str, Any], now: dict[str, Any] | None) -> bool:
    return now is None or without_callback(was) != without_callback(now)


def _judge_runs(
    verdict: Verdict, rig: Rig, ids: set[str], never_ran: frozenset[str], runs_per_attempt: int
) -> None:
    runs: dict[str, list[Run]] = defaultdict(list)
    for run in rig.witness.runs():
        runs[run.id].append(run)
    verdict.runs = dict(runs)
    verdict.breach("ran, but nobody was told of it", set(runs) - ids)
    verdict.run_again = sum(len(of_one) - 1 for of_one in runs.values())
    ended = Counter(run.id for of_one in runs.values() for run in of_one if run.ended_s)
    verdict.ended_twice = sum(count > 1 for count in ended.values())
    witnessed = {i: record for i, record in verdict.records.items() if i in ids}
    verdict.breach(
        "attempts do not fit the runs",
        (
            f"{i}: {problem}"
            for i, record in witnessed.items()
            if record["status"] not in never_ran
            and (problem := misfit(record, runs.get(i, []), runs_per_attempt))
        ),
    )
    verdict.recovery_s = recoveries_s(witnessed, runs, rig.deaths.at_s)


def misfit(record: dict[str, Any], runs: list[Run], runs_per_attempt: int) -> str:
    """Return how the attempts in the record differ from the runs that were witnessed.

    Every run is an attempt of the record, and every attempt a run, but for those that the
    record itself says were cut short: their process may have died before the first line.
    """
    seen = Counter(run.attempt for run in runs)
    if twice := [attempt for attempt, count in seen.items() if count > runs_per_attempt]:
        return f"attempt {twice[0]} was run {seen[twice[0]]} times"
    cut_short = {a["attempt"] for a in record["attempts"] if a["outcome"] in _CUT_SHORT}
    if record["error"] is not None and record["error"]["type"] == "worker_lost":
        cut_short.add(record["attempt"])
    expected = set(range(1, record["attempt"] + 1))
    if extra := set(seen) - expected:
        return f"ran as attempt {extra}, the record says {record['attempt']}"
    if missing := expected - set(seen) - cut_short:
        return f"attempt {missing} left no trace"
    return ""


def _judge_callbacks(verdict: Verdict, ids: set[str], receiver: Receiver) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    different: list[str] = []
    for request in list(receiver.requests):
        invocation = request.headers["x-call-id"]
        seen[invocation].add(request.headers["webhook-id"])
        if _differs(json.loads(request.body)["data"], verdict.records.get(invocation)):
            different.append(invocation)
    verdict.breach("callback says otherwise than poll", different)
    owed = {i for i in ids if verdict.records.get(i, {}).get("callback")}
    verdict.breach("without a callback", owed - set(seen))
    verdict.breach("callback of nobody's", set(seen) - ids)
    verdict.breach("webhook-id changed", (i for i, names in seen.items() if len(names) > 1))
