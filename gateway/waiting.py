"""Callers who wait for an invocation to finish, on one gateway process.

A finish arrives as a notice on the gateway's inbox. Notices sent while the
subscription was away are lost, so after every (re)connection all that is waited for
is looked at again. Nobody is left behind: leaving the `with` block forgets the wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from runtime.invocations.record import Record

_ID_BYTES = 36
_LOOKED_AT_ONCE = 200

Notice = bytes | Record
Arrival = asyncio.Future["Notice | None"]
Hear = Callable[["Notice | None"], None]


class Waiters:
    """Who waits for which invocation."""

    def __init__(self) -> None:
        self._hearers: dict[str, list[Hear]] = {}
        self._is_draining = False

    def __len__(self) -> int:
        return sum(len(hearers) for hearers in self._hearers.values())

    def listen(self, invocation_id: str, hear: Hear) -> None:
        """Have `hear` told of the end, or None when the process stops; until `forget`.

        Before Redis is asked, so that no notice comes too early.
        """
        self._hearers.setdefault(invocation_id, []).append(hear)
        if self._is_draining:
            hear(None)

    def forget(self, invocation_id: str, hear: Hear) -> None:
        """Listen no longer; safe to call twice."""
        hearers = self._hearers.get(invocation_id, [])
        if hear in hearers:
            hearers.remove(hear)
            if not hearers:
                del self._hearers[invocation_id]

    @contextmanager
    def expect(self, invocation_id: str) -> Iterator[Arrival]:
        """Wait in a coroutine; registered before Redis is asked, as `listen` is."""
        arrival: Arrival = asyncio.get_running_loop().create_future()

        def hear(notice: Notice | None) -> None:
            if not arrival.done():
                arrival.set_result(notice)

        self.listen(invocation_id, hear)
        try:
            yield arrival
        finally:
            self.forget(invocation_id, hear)
            arrival.cancel()

    def notify(self, payload: bytes) -> None:
        """Hand a notice to those who wait for it."""
        self._resolve(payload[:_ID_BYTES].decode("ascii", "replace"), payload)

    def drain(self) -> None:
        """End every wait as if its time had run out: the process stops."""
        self._is_draining = True
        for invocation_id in list(self._hearers):
            self._resolve(invocation_id, None)

    async def look_again(
        self, read_records: Callable[[Sequence[str]], Awaitable[Sequence[Record | None]]]
    ) -> None:
        """Read all that is waited for, and hand out what has finished meanwhile."""
        waited_for = list(self._hearers)
        for start in range(0, len(waited_for), _LOOKED_AT_ONCE):
            ids = waited_for[start : start + _LOOKED_AT_ONCE]
            for invocation_id, record in zip(ids, await read_records(ids), strict=True):
                if record is not None and record.is_finished:
                    self._resolve(invocation_id, record)

    def _resolve(self, invocation_id: str, notice: Notice | None) -> None:
        for hear in list(self._hearers.get(invocation_id, ())):
            hear(notice)


async def wait_for(arrival: Arrival, within_s: float) -> Notice | None:
    """Return the notice, or None when time ran out."""
    if within_s <= 0 and not arrival.done():
        return None
    # A timer of our own: asyncio.timeout would cost several times as much, and cancels the task.
    timer = asyncio.get_running_loop().call_later(within_s, _give_up, arrival)
    try:
        return await arrival
    finally:
        timer.cancel()


def _give_up(arrival: Arrival) -> None:
    if not arrival.done():
        arrival.set_result(None)
