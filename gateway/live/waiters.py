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


class Waiters:
    """Who waits for which invocation."""

    def __init__(self) -> None:
        self._arrivals: dict[str, list[Arrival]] = {}
        self._is_draining = False

    def __len__(self) -> int:
        return sum(map(len, self._arrivals.values()))

    @contextmanager
    def expect(self, invocation_id: str) -> Iterator[Arrival]:
        """Expect the end, or None when the process stops.

        Registered before Redis is asked, so that no notice comes too early.
        """
        arrival: Arrival = asyncio.get_running_loop().create_future()
        expected = self._arrivals.setdefault(invocation_id, [])
        expected.append(arrival)
        if self._is_draining:
            arrival.set_result(None)
        try:
            yield arrival
        finally:
            expected.remove(arrival)
            if not expected:
                del self._arrivals[invocation_id]
            arrival.cancel()

    def notify(self, payload: bytes) -> None:
        """Hand a notice to those who wait for it."""
        self._resolve(payload[:_ID_BYTES].decode("ascii", "replace"), payload)

    def drain(self) -> None:
        """End every wait as if its time had run out: the process stops."""
        self._is_draining = True
        for invocation_id in list(self._arrivals):
            self._resolve(invocation_id, None)

    async def look_again(
        self, read_records: Callable[[Sequence[str]], Awaitable[Sequence[Record | None]]]
    ) -> None:
        """Read all that is waited for, and hand out what has finished meanwhile."""
        waited_for = list(self._arrivals)
        for start in range(0, len(waited_for), _LOOKED_AT_ONCE):
            ids = waited_for[start : start + _LOOKED_AT_ONCE]
            for invocation_id, record in zip(ids, await read_records(ids), strict=True):
                if record is not None and record.is_finished:
                    self._resolve(invocation_id, record)

    def _resolve(self, invocation_id: str, notice: Notice | None) -> None:
        for arrival in self._arrivals.get(invocation_id, ()):
            if not arrival.done():
                arrival.set_result(notice)


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
