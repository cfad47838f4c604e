"""What is measured: the table of works, and the requests each of them sends.

Every work is the same for every system: the same bodies, connections and checks. What a call of
production shows (a key, a trace, an idempotency key, a callback) is in `shown.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tests.bench.shown import EVERYTHING, PEERS_SHOW, TITLES, Shown
from tests.bench.sizes import USUAL, Sizes

LARGE_BYTES = 100 * 1024
_FIRST_VALUE = 1000  # all values have four digits, so that no answer contains another's

# Which systems are asked: those of short calls; of calls at a pace; of functions that wait on an
# event loop; of functions that wait in threads; the bare echoes.
Group = Literal["usual", "steady", "waiting", "blocking", "echo"]
Kind = Literal["accept", "drain", "lone", "steady", "wait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of work.

    Attributes:
        name: As `--work` and the results name it.
        title: As the table names it.
        function: Which function is called.
        waits: Whether the caller waits for the result.
        unit: What its figure is.
        is_rate: Whether more is better.
        sentence: What is done, for the page.
        kind: How it is measured.
        group: Which systems are asked to do it.
        sizes: How large they are meanwhile.
        connections: How many call at once; of `steady` the most.
        calls_per_s: At which pace, of `steady`.
        pause_ms: From and to, between two calls of `lone`.
        at_least_s: It lasts so long, however short the others are.
        warmup_s: How long at the beginning nothing is measured.
        ramp_s: Over how long the callers begin.
        shown: What each call shows besides its arguments.
        of_peers: Whether peers that check keys do it, too; all do what shows nothing.
        plain: The work that shows nothing, of one that shows something.
    """

    name: str
    title: str
    function: str
    waits: bool
    unit: str
    is_rate: bool
    sentence: str
    kind: Kind = "wait"
    group: Group = "usual"
    sizes: Sizes = USUAL
    connections: int = 32
    calls_per_s: float = 0.0
    pause_ms: tuple[float, float] | tuple[()] = ()
    at_least_s: float = 0.0
    warmup_s: float = 0.3
    ramp_s: float = 0.0
    shown: frozenset[Shown] = frozenset()
    of_peers: bool = True
    plain: str = ""


def _variants(plain: Work) -> Iterator[Work]:
    """Return a work that shows nothing, then as production does it."""
    yield plain
    for name, shown in TITLES.items():
        if plain.waits and "callback" in shown and shown != EVERYTHING:
            continue  # what a delivery costs is no part of waiting
        yield replace(
            plain,
            name=f"{plain.name}-{name}",
            title=f"{plain.title}, {name.replace('-', ' ')}",
            shown=shown - {"callback"} if plain.waits else shown,
            of_peers=shown in PEERS_SHOW,
            plain=plain.name,
        )


_ACCEPT = Work(
    name="accept",
    title="accept",
    function="noop",
    waits=False,
    unit="calls/s",
    is_rate=True,
    sentence="32 connections, POST until 202; nothing runs meanwhile, so that only the way "
    "into the queue is measured",
    kind="accept",
)
_WAIT = Work(
    name="wait",
    title="call and wait",
    function="noop",
    waits=True,
    unit="calls/s",
    is_rate=True,
    sentence="32 connections, each calls a no-op and waits for its result",
)
# A peer that must ask for a result does it three times in this, the last soon after a call of 1 s.
_ASKS_EVERY_MS = 550
_WAITING = (
    Work(
        name="sleepers",
        title="1,000 callers, 1 s asleep",
        function="sleep_1s",
        waits=True,
        unit="calls/s",
        is_rate=True,
        sentence="1,000 connections wait for an asynchronous function that sleeps 1 s; one worker",
        group="waiting",
        sizes=Sizes(workers=1, slots=1000, asks_every_ms=_ASKS_EVERY_MS),
        connections=1000,
        at_least_s=6.0,
        warmup_s=3.0,
        ramp_s=1.0,
    ),
    Work(
        name="naps-100ms",
        title="drain, 100 ms asleep",
        function="sleep_100ms",
        waits=False,
        unit="calls/s",
        is_rate=True,
        sentence="10,000 waiting calls of an asynchronous function that sleeps 100 ms, from the "
        "first seen finished to the last; two workers",
        kind="drain",
        group="waiting",
        sizes=Sizes(slots=1000),
    ),
    Work(
        name="slow-http",
        title="drain, 100 ms of requests",
        function="fetch",
        waits=False,
        unit="calls/s",
        is_rate=True,
        sentence="10,000 waiting calls of a function that asks a server by `requests`, which "
        "answers after 100 ms; two workers",
        kind="drain",
        group="blocking",
        sizes=Sizes(slots=50),
    ),
)
WORKS = (
    *_variants(_WAIT),
    Work(
        name="drain",
        title="drain what waits",
        function="noop",
        waits=False,
        unit="calls/s",
        is_rate=True,
        sentence="10,000 waiting no-ops, from the first seen finished to the last",
        kind="drain",
    ),
    Work(
        name="lone",
        title="one call, idle system",
        function="noop",
        waits=True,
        unit="ms, p50",
        is_rate=False,
        sentence="one caller calls a no-op, waits for the result, pauses 50 to 100 ms",
        kind="lone",
        connections=1,
        pause_ms=(50.0, 100.0),
    ),
    Work(
        name="steady",
        title="400 calls a second",
        function="noop",
        waits=True,
        unit="µs of processor a call",
        is_rate=False,
        sentence="no-ops are called at 400 even moments a second, each waited for; the processor "
        "time of all processes, Redis included, for a call",
        kind="steady",
        group="steady",
        connections=400,
        calls_per_s=400.0,
        at_least_s=5.0,
        warmup_s=1.0,
    ),
    Work(
        name="burn",
        title="10 ms of processor",
        function="burn",
        waits=True,
        unit="calls/s",
        is_rate=True,
        sentence="32 connections wait for a function that uses 10 ms of processor time",
    ),
    Work(
        name="nap",
        title="100 ms asleep",
        function="nap",
        waits=True,
        unit="calls/s",
        is_rate=True,
        sentence="32 connections wait for a function that sleeps 100 ms; 16 may run at once",
    ),
    Work(
        name="carry",
        title="100 KB there and back",
        function="carry",
        waits=True,
        unit="calls/s",
        is_rate=True,
        sentence="32 connections wait for a function that gives back the 100 KB it got",
    ),
    # Last: what has a callback is not drained, the system is stopped with it.
    *_variants(_ACCEPT),
    *_WAITING,
    Work(
        name="crowd",
        title="1,000 connections",
        function="noop",
        waits=False,
        unit="calls/s",
        is_rate=True,
        sentence="1,000 connections, POST until the echo: what the load client can do with as many",
        group="echo",
        connections=1000,
    ),
)
BY_NAME = {work.name: work for work in WORKS}


def body_of(function: str, connection: int, *, slow_url: str = "") -> tuple[bytes, str]:
    """Return a connection's body, and the text its result has in the answer.

    `slow_url` is the address of the server that a function which fetches asks.
    """
    if function == "carry":
        text = f"{_FIRST_VALUE + connection}" + "x" * (LARGE_BYTES - 4)
        return json.dumps({"text": text}).encode(), f'"result":"{text}"'
    value = _FIRST_VALUE + connection
    arguments = {"value": value, "url": slow_url} if function == "fetch" else {"value": value}
    return json.dumps(arguments).encode(), f'"result":{value}'
