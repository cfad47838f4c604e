"""The callers of one gateway process that wait for an invocation to finish.

`Waiters` holds a future for each waiting caller, which a notice on the gateway's inbox resolves.
`InvocationReader` reads invocations for resources, and waits for them if the caller prefers.
Notices sent while the subscription is down are lost, so after each (re)connection every awaited
invocation is read again. A wait is always removed: it ends with its `with` block.
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
    """The waiting callers, by invocation id."""

    def __init__(self) -> None:
        self._arrivals: dict[str, list[Arrival]] = {}
        self._is_draining = False

    def __len__(self) -> int:
        return sum(map(len, self._arrivals.values()))

    @contextmanager
    def expect(self, invocation_id: str) -> Iterator[Arrival]:
        """Register a wait; its future gets the notice, or None when the process stops.

        Enter this before the call to Redis: the notice may come before the call's answer.
        """
        arrival: Arrival = asyncio.get_running_loop().create_future()
        expected = self._arrivals.setdefault(invocation_id, [])
        expected.append(arrival)
        if self._is_draining:  # `drain` has already ended the other waits
            arrival.set_result(None)
        try:
            yield arrival
        finally:
            expected.remove(arrival)
            if not expected:
                del self._arrivals[invocation_id]
            arrival.cancel()

    def notify(self, payload: bytes) -> None:
        """Pass a notice to the callers that wait for its invocation."""
        self._resolve(payload[:_ID_BYTES].decode("ascii", "replace"), payload)

    def drain(self) -> None:
        """End every wait, and each later one, as if its time had run out: the process stops."""
        self._is_draining = True
        for invocation_id in list(self._arrivals):
            self._resolve(invocation_id, None)

    async def look_again(
        self, read_records: Callable[[Sequence[str]], Awaitable[Sequence[Record | None]]]
    ) -> None:
        """Read every awaited invocation, and end the waits for those that have finished."""
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
    """Return the notice, or None when `within_s` has passed."""
    if within_s <= 0 and not arrival.done():
        return None
    # A plain timer: asyncio.timeout would cost several times as much, and cancels the task.
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
    """Reads invocations, and waits for them to finish.

    Attributes:
        gateway_id: Names the inbox to which Redis sends the notices.
    """

    def __init__(self, store: AsyncConnection, waiters: Waiters, gateway_id: str) -> None:
        self.gateway_id = gateway_id
        self._store = store
        self._waiters = waiters

    def expect(self, invocation_id: str) -> AbstractContextManager[Arrival]:
        """Register a wait (`Waiters.expect`), before the call to Redis."""
        return self._waiters.expect(invocation_id)

    async def fetch(
        self, invocation_id: str, wait_s: float = 0, *, owner: str | None = None
    ) -> Record:
        """Return an invocation, after waiting up to `wait_s` seconds for it to finish.

        With `owner`, an invocation of another caller is unknown, and so is one no longer kept.

        Raises:
            UnknownInvocationError: The id is not one of an invocation.
            InvocationGoneError: The invocation is no longer kept.
            StoreError: Redis does not answer, or answers with an error.
        """
        if not is_invocation_id(invocation_id):
            raise _unknown(invocation_id)
        if wait_s <= 0:
            return _known(await self._store.run(read(invocation_id)), invocation_id, owner)
        with self.expect(invocation_id) as arrival:
            # One script reads the record and asks for the notice, so an end between the two is
            # not missed.
            found = await self._store.run(watch(invocation_id, self.gateway_id))
            record = _known(found, invocation_id, owner)
            if record.is_finished:
                return record
            return await self.until_finished(arrival, record, wait_s)

    async def until_finished(self, arrival: Arrival, last_known: Record, wait_s: float) -> Record:
        """Return the finished invocation, or its current state when `wait_s` has passed."""
        notice = await wait_for(arrival, wait_s)
        if notice is not None:
            return record_of(notice, last_known.arguments, last_known.request)
        return await self.current(last_known)

    async def current(self, last_known: Record) -> Record:
        """Return the invocation as it is now, or `last_known` if Redis does not answer."""
        try:
            return await self._store.run(read(last_known.id)) or last_known
        except StoreError as error:
            _log.warning("status_unknown", id=last_known.id, reason=str(error))
            return last_known

    async def look_again(self) -> bool:
        """Read every awaited invocation, as notices may be lost; return whether Redis answered."""
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
    """Return the finished invocation of a notice, which has no arguments and no request itself."""
    if isinstance(notice, Record):
        return notice
    return record_from_notice(notice, arguments, request)
