"""The client for an event loop: what `sync_client` has, to be awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Self, Unpack, cast

import httpx

from penstock.client import batch_flows
from penstock.client.async_driver import Driver
from penstock.client.batch_flows import Outcome, Part
from penstock.client.event_stream import StreamedEvent
from penstock.client.flows import Caller, Record
from penstock.client.httpx_requests import LIMITS, Address
from penstock.client.options import CallOptions, OptionNames
from penstock.client.retrying import RetryPolicy


class AsyncInvocation:
    """One call, as `submit` and `invocation` return it.

    Attributes:
        record: The invocation as the API shows it, when it was last asked for.
    """

    def __init__(self, driver: Driver, caller: Caller, record: Record) -> None:
        self._driver = driver
        self._caller = caller
        self.record = record

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status}>"

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.record["id"])

    @property
    def status(self) -> str:
        """Its status when it was last asked for; `refresh` asks again."""
        return str(self.record["status"])

    async def refresh(self) -> Self:
        """Read the record again."""
        self.record = await self._driver.run(self._caller.read(self.id))
        return self

    async def result(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - the invocation goes on after it
    ) -> Any:  # noqa: ANN401 - what it returned
        """Wait until it ends and return what the function returned.

        Args:
            timeout: How long to wait, in seconds; if None, the client's option. 0 does not wait.

        Raises:
            InvocationError: It did not succeed.
            WaitTimeoutError: It has not ended within the timeout.
        """
        flow = self._caller.result(self.record, self._caller.deadline(timeout))
        self.record, value = await self._driver.run(flow)
        return value

    def events(self, last_event_id: str = "") -> AsyncIterator[StreamedEvent]:
        """Yield its events until the last one; a lost connection is resumed where it broke."""
        return self._driver.iterate(self._caller.events(self.id, last_event_id))

    async def cancel(self) -> Self:
        """Cancel it.

        Raises:
            AlreadyFinishedError: It has finished, and was not cancelled.
        """
        self.record = await self._driver.run(self._caller.cancel(self.id))
        return self

    async def logs(self, attempt: int | None = None) -> str:
        """Return what it has printed and logged so far, in all its attempts or in one."""
        return await self._driver.run(self._caller.logs(self.id, attempt))


class AsyncBatch:
    """Many calls; iterating yields the outcome of each in the order of the rows."""

    def __init__(self, driver: Driver, caller: Caller, parts: tuple[Part, ...]) -> None:
        self._driver = driver
        self._caller = caller
        self._parts = parts

    @property
    def ids(self) -> list[str]:
        """The ids of the batches that hold the calls: one for every 10,000 calls or 15 MiB."""
        return [part.id for part in self._parts]

    def __len__(self) -> int:
        return sum(part.size for part in self._parts)

    def __aiter__(self) -> AsyncIterator[Outcome]:
        return self._driver.iterate(batch_flows.in_order(self._caller, self._parts))

    def as_completed(self) -> AsyncIterator[Outcome]:
        """Yield the outcome of each call soon after it ended."""
        return self._driver.iterate(batch_flows.as_completed(self._caller, self._parts))

    async def counts(self) -> dict[str, int]:
        """Return how many calls have each status."""
        return await self._driver.run(batch_flows.count(self._caller, self._parts))

    async def cancel(self) -> None:
        """Cancel the calls that have not finished."""
        await self._driver.run(batch_flows.cancel(self._caller, self._parts))


class AsyncCalls:
    """What calls functions, with certain options. `AsyncClient.with_options` returns it."""

    def __init__(self, driver: Driver, caller: Caller) -> None:
        self._driver = driver
        self._caller = caller

    def with_options(self, **options: Unpack[OptionNames]) -> AsyncCalls:
        """Return the same with these options of a call besides (`CallOptions`)."""
        return AsyncCalls(self._driver, self._caller.with_options(**options))

    async def call(self, function: str, /, **arguments: object) -> Any:  # noqa: ANN401 - its result
        """Call a function, wait until it ends, and return what it returned.

        Raises:
            InvocationError: It did not succeed, or the arguments do not fit.
            WaitTimeoutError: It has not ended within the option `timeout`.
        """
        return await self._driver.run(self._caller.call(function, arguments))

    async def submit(self, function: str, /, **arguments: object) -> AsyncInvocation:
        """Submit a call and return its invocation as soon as it is safely queued."""
        record = await self._driver.run(self._caller.submit(function, arguments))
        return AsyncInvocation(self._driver, self._caller, record)

    async def invocation(self, invocation_id: str, /) -> AsyncInvocation:
        """Return an invocation that was submitted before, by anybody."""
        record = await self._driver.run(self._caller.read(invocation_id))
        return AsyncInvocation(self._driver, self._caller, record)

    async def batch(self, function: str, rows: Iterable[Mapping[str, object]], /) -> AsyncBatch:
        """Submit a call for every row of arguments; rows are read as they are sent.

        An error, also one of `rows`, has a note with the batches before it, which stay accepted.

        Raises:
            PenstockError: A batch was not accepted.
        """
        parts = await self._driver.run(batch_flows.submit_batch(self._caller, function, rows))
        return AsyncBatch(self._driver, self._caller, parts)


class AsyncClient(AsyncCalls):
    """Calls the functions of a Penstock system.

    Args:
        url: Its base URL; if None, `PENSTOCK_URL`, or http://127.0.0.1:8000.
        key: The API key; if None, `PENSTOCK_KEY`.
        retry_for_s: How long a request is repeated while the system does not answer, or refuses it
            for now; 0 never repeats.
        http: An `httpx.AsyncClient` of your own, for certificates or a proxy. You close it.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        retry_for_s: float = 30.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        address = Address(url, key)
        self._owned = httpx.AsyncClient(limits=LIMITS) if http is None else None
        caller = Caller(policy=RetryPolicy(for_s=retry_for_s), options=CallOptions())
        super().__init__(Driver(http or cast("httpx.AsyncClient", self._owned), address), caller)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._owned is not None:
            await self._owned.aclose()
