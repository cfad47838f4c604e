"""Callers who wait for an invocation to finish, on one gateway process.

A finish arrives as a notice on the gateway's inbox. Notices sent while the
subscription was away are lost, so after every (re)connection all that is waited for
is looked at again. Nobody is left behind: leaving the `with` block forgets the wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import structlog

from runtime.errors import InvocationGoneError, StoreError, UnknownInvocationError
from runtime.invocations.ids import is_invocation_id
from runtime.invocations.record import Record, read, record_from_notice, watch
from runtime.store.async_connection import AsyncConnection

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


_log = structlog.get_logger(__name__)


class InvocationReader:
    """Reads invocations, and waits for them on behalf of this gateway process."""

    def __init__(self, store: AsyncConnection, waiters: Waiters, gateway_id: str) -> None:
        self.gateway_id = gateway_id
        self._store = store
        self._waiters = waiters

    def expect(self, invocation_id: str) -> AbstractContextManager[Arrival]:
        """Register a wait before asking Redis."""
        return self._waiters.expect(invocation_id)

    async def fetch(
        self, invocation_id: str, wait_s: float = 0, *, owner: str | None = None
    ) -> Record:
        """Return an invocation, after waiting for its end for at most `wait_s`.

        With `owner`, what somebody else called does not exist, nor what is no longer kept.

        Raises:
            UnknownInvocationError: There never was one of that id.
            InvocationGoneError: There was, but it is no longer kept.
            StoreError: Redis is away.
        """
        if not is_invocation_id(invocation_id):
            raise _unknown(invocation_id)
        if wait_s <= 0:
            return _known(await self._store.run(read(invocation_id)), invocation_id, owner)
        with self.expect(invocation_id) as arrival:
            found = await self._store.run(watch(invocation_id, self.gateway_id))
            record = _known(found, invocation_id, owner)
            if record.is_finished:
                return record
            return await self.until_finished(arrival, record, wait_s)

    async def until_finished(self, arrival: Arrival, last_known: Record, wait_s: float) -> Record:
        """Return the finished invocation, or how it stands when time has run out."""
        notice = await wait_for(arrival, wait_s)
        if notice is not None:
            return record_of(notice, last_known.arguments, last_known.request)
        return await self.current(last_known)

    async def current(self, last_known: Record) -> Record:
        """Return the invocation as it is now, or as last known when Redis cannot be asked."""
        try:
            return await self._store.run(read(last_known.id)) or last_known
        except StoreError as error:
            _log.warning("status_unknown", id=last_known.id, reason=str(error))
            return last_known

    async def look_again(self) -> bool:
        """Look at all that is waited for, and say whether that worked; notices may be lost."""
        try:
            await self._waiters.look_again(self._read_many)
        except StoreError as error:
            _log.warning("waiters_unread", reason=str(error))
            return False
        return True

    async def _read_many(self, ids: Sequence[str]) -> Sequence[Record | None]:
        return await self._store.run_many([read(invocation_id) for invocation_id in ids])


def _unknown(invocation_id: str) -> UnknownInvocationError:
    return UnknownInvocationError(f"No invocation has the id {invocation_id[:64]!r}.")


def _known(record: Record | None, invocation_id: str, owner: str | None) -> Record:
    if owner is not None and (record is None or record.caller != owner):
        raise _unknown(invocation_id)
    if record is None:
        raise InvocationGoneError(f"The invocation {invocation_id} is no longer kept.")
    return record


def record_of(notice: Notice, arguments: bytes, request: bytes = b"") -> Record:
    """Return the finished invocation that a notice is of; what was sent with it is not in there."""
    if isinstance(notice, Record):
        return notice
    return record_from_notice(notice, arguments, request)
