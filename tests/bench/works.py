"""What is measured: the table of works, and the requests each of them sends.

Every work is the same for every system: the same bodies, connections and checks. What a call of
production shows (a key, a trace, an idempotency key, a callback) is in `shown.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.bench.shown import EVERYTHING, PEERS_SHOW, TITLES, Shown

LARGE_BYTES = 100 * 1024
_FIRST_VALUE = 1000  # all values have four digits, so that no answer contains another's


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
        kind: How it is measured: `accept`, `drain`, `idle` or `wait`.
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
    kind: str = "wait"
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
        name="idle",
        title="one call, idle system",
        function="noop",
        waits=True,
        unit="ms, p50",
        is_rate=False,
        sentence="one caller calls a no-op, waits for the result, pauses 50 to 100 ms",
        kind="idle",
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
)
BY_NAME = {work.name: work for work in WORKS}


def body_of(function: str, connection: int) -> tuple[bytes, str]:
    """Return a connection's body, and the text its result has in the answer."""
    if function == "carry":
        text = f"{_FIRST_VALUE + connection}" + "x" * (LARGE_BYTES - 4)
        return json.dumps({"text": text}).encode(), f'"result":"{text}"'
    value = _FIRST_VALUE + connection
    return json.dumps({"value": value}).encode(), f'"result":{value}'
