"""The loop of the deliverer's thread: settle what has ended, claim what is due, wait for either.

    claimed ──► sending ──► unsettled ──Redis has it──► settled
                              ▲ │ Redis is away: sent again at the next turn

This process only limits how many attempts run at once; Redis decides which come first. If it is
killed, the lease of a delivery runs out and the next claim makes it due again, so a receiver may
get a delivery twice; its attempt number is the fencing token of the settlement.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from runtime.callbacks.config import DeliveryRules
from runtime.callbacks.delivery_attempt import DeliveryOutcome
from runtime.callbacks.delivery_spans import DeliveryTrace
from runtime.callbacks.openfaas_payload import build_callback
from runtime.callbacks.payload import (
    build_batch_body,
    build_body,
    build_headers,
)
from runtime.callbacks.retry_schedule import next_after
from runtime.callbacks.signing import parse_secrets
from runtime.errors import StoreError
from runtime.invocations import record
from runtime.invocations.batch import read_batch
from runtime.store import delivery_commands
from runtime.store.async_connection import AsyncConnection
from runtime.store.delivery_commands import BATCH_OUTCOME, ClaimedDelivery, DeliveryClaim, Settled
from runtime.store.scripts import Command

if TYPE_CHECKING:
    from runtime.callbacks.sender import Sender

RETRY_S = 0.5
GONE = "the invocation is no longer kept"
INTERRUPTED = "the sender stopped"
CRASHED = "the sender failed"
_LARGEST_CLAIM = 64
_SHORTEST_WAIT_S = 0.02
_OTHER_FILES = 256
_FEWEST_SLOTS = 16

_log = structlog.get_logger(__name__)


class Dispatcher:
    """Claims, sends and settles deliveries, from a start of the thread to its end.

    Args:
        url: The URL of Redis.
        rules: Limits, secrets and allowed addresses.
        roll: Returns a random number in [0, 1), for jitter.
        changed: Set when an attempt ends or a wake-up comes; its owner sets it to stop the wait.
    """

    def __init__(
        self,
        url: str,
        rules: DeliveryRules,
        *,
        roll: Callable[[], float],
        changed: asyncio.Event,
    ) -> None:
        self._rules = rules
        self._roll = roll
        self._changed = changed
        self._slots = _slots_within_limits(rules.slots)
        self._store = AsyncConnection(url)
        self._blocking_store = AsyncConnection(url, timeout_s=rules.idle_s + 2)
        self._sender: Sender | None = None
        self._in_flight: dict[asyncio.Task[None], ClaimedDelivery] = {}
        self._unsettled: dict[tuple[str, int], Command[Settled]] = {}  # by id and attempt
        self._wake: asyncio.Task[bool] | None = None  # a BLPOP on the wake-up list
        self._store_is_away = False

    @property
    def _free(self) -> int:
        return max(0, self._slots - len(self._in_flight))

    async def turn(self) -> None:
        """Settle what has ended, claim what is due, then wait for either.

        Raises:
            StoreError: Redis is away. Nothing is lost: call it again.
        """
        # First: what changes from here on ends the wait below.
        self._changed.clear()
        wait_s = await self._exchange([self._claim_call()] if self._free else [])
        if self._store_is_away:
            self._store_is_away = False
            _log.info("callbacks.store_is_back")
        await self._wait(wait_s)

    async def wait_for_store(self, error: StoreError) -> None:
        """Log once that Redis is away, and wait."""
        if not self._store_is_away:
            self._store_is_away = True
            _log.warning("callbacks.store_is_away", error=str(error))
        await asyncio.sleep(RETRY_S)

    async def wind_up(self) -> None:
        """Let attempts in flight end for `grace_s`, cancel the rest, and settle all of them."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=self._rules.grace_s)
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(self._rules.grace_s):
                await self._exchange([])
                # The BLPOP may have taken a token that this process will not use: leave one.
                if self._wake is not None:
                    await self._store.run(delivery_commands.wake_one(self._store.keys))

    async def close(self) -> None:
        """Close all connections."""
        if self._wake is not None:
            self._wake.cancel()
            await asyncio.gather(self._wake, return_exceptions=True)
        await self._blocking_store.close()
        await self._store.close()
        if self._sender is not None:
            await self._sender.close()

    async def _wait(self, wait_s: float) -> None:
        if self._free and self._wake is None:
            self._wake = asyncio.create_task(self._await_wake())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        if self._wake is not None and self._wake.done():
            wake, self._wake = self._wake, None
            # Without a free slot the token is for another process.
            if wake.result() and not self._free:
                await self._store.run(delivery_commands.wake_one(self._store.keys))

    async def _await_wake(self) -> bool:
        keys, idle_s = self._blocking_store.keys, self._rules.idle_s
        try:
            return await self._blocking_store.run(
                delivery_commands.await_wake(keys, timeout_s=idle_s)
            )
        finally:
            self._changed.set()

    def _claim_call(self) -> Command[DeliveryClaim]:
        return delivery_commands.claim(
            free=self._free,
            limit=_LARGEST_CLAIM,
            lease_ms=self._rules.lease_ms,
            most_steps=len(self._rules.delays_ms) + 1,
        )

    def _begin(self, claim: DeliveryClaim) -> float:
        """Start what was claimed; return the seconds until something else may be due."""
        for claimed in claim.items:
            task = asyncio.create_task(self._attempt(claimed, claim.now_ms))
            self._in_flight[task] = claimed
            task.add_done_callback(self._landed)
        if len(claim.items) == _LARGEST_CLAIM:
            return 0
        longest_s = self._rules.idle_s + 1  # the time-out of the BLPOP comes first
        wait_s = longest_s if claim.wait_ms is None else claim.wait_ms / 1000
        return min(max(wait_s, _SHORTEST_WAIT_S), longest_s)

    def _landed(self, task: asyncio.Task[None]) -> None:
        del self._in_flight[task]
        self._changed.set()

    async def _attempt(self, claimed: ClaimedDelivery, now_ms: int) -> None:
        ended = DeliveryOutcome(duration_ms=0, error=INTERRUPTED, fate="interrupted")
        trace = DeliveryTrace(self._rules.tracer, claimed)
        try:
            ended = await self._send(claimed, now_ms, trace)
        except StoreError as error:
            _log.warning("callbacks.record_not_read", delivery=claimed.id, error=str(error))
        except Exception:  # noqa: BLE001 - outermost of the asyncio task
            _log.exception("callbacks.attempt_crashed", delivery=claimed.id)
            ended = DeliveryOutcome(duration_ms=0, error=CRASHED)
        finally:
            trace.end(ended)
            self._note(claimed, ended, now_ms)  # also when cancelled: settled as interrupted

    async def _send(
        self, claimed: ClaimedDelivery, now_ms: int, trace: DeliveryTrace
    ) -> DeliveryOutcome:
        payload = await self._read_payload(claimed)
        if payload is None:
            return DeliveryOutcome(duration_ms=0, error=GONE, fate="hopeless")
        secrets = parse_secrets(claimed.secrets) or self._rules.secrets
        body, more = payload
        headers = build_headers(claimed, body, secrets=secrets, now_ms=now_ms, more=more)
        sender = self._open_sender()
        return await sender.send(claimed.url, headers=headers | trace.headers, body=body)

    def _open_sender(self) -> Sender:
        """Return the HTTP client. It is imported at the first callback: few workers send any."""
        if self._sender is None:
            from runtime.callbacks.sender import Sender  # noqa: PLC0415 - see above

            self._sender = Sender(self._rules)
        return self._sender

    async def _read_payload(
        self, claimed: ClaimedDelivery
    ) -> tuple[bytes, Mapping[str, str]] | None:
        """Return the body and its own headers; None if what it is about is no longer kept."""
        public_url = self._rules.public_url
        if claimed.outcome == BATCH_OUTCOME:
            batch = await self._store.run(read_batch(claimed.invocation))
            return None if batch is None else (build_batch_body(batch, public_url=public_url), {})
        found = await self._store.run(record.read(claimed.invocation))
        if found is None:
            return None
        if found.callback_as:
            return build_callback(found)
        return build_body(found, public_url=public_url), {}

    def _note(self, claimed: ClaimedDelivery, ended: DeliveryOutcome, now_ms: int) -> None:
        roll, delays_ms = self._roll(), self._rules.delays_ms
        follows = next_after(
            ended, step=claimed.step, now_ms=now_ms, roll=roll, delays_ms=delays_ms
        )
        self._unsettled[claimed.id, claimed.attempt] = delivery_commands.settle(
            delivery_id=claimed.id,
            attempt=claimed.attempt,
            next_status=follows.status,
            retry_in_ms=follows.retry_in_ms,
            pace=ended.pace,
            entry=ended.entry(now_ms),
        )
        _log.info(
            "callbacks.attempt_ended",
            delivery=claimed.id,
            invocation=claimed.invocation,
            function=claimed.function,
            attempt=claimed.attempt,
            host=claimed.host,
            status_code=ended.status_code,
            verdict=follows.status,
            duration_ms=ended.duration_ms,
            reason=ended.reason or ended.error,
        )

    async def _exchange(self, claiming: list[Command[DeliveryClaim]]) -> float:
        """Settle what has ended and claim; return how long to wait.

        Both go out in one write and in this order, since a settlement frees its receiver for the
        claim. A settlement without a reply stays for the next turn.
        """
        ended = list(self._unsettled.items())
        calls: list[Command[Any]] = [*(call for _, call in ended), *claiming]
        answers = await asyncio.gather(*map(self._store.run, calls), return_exceptions=True)
        wait_s = self._rules.idle_s
        if claiming and isinstance(claim := answers[-1], DeliveryClaim):
            # Before errors of the settlements are raised: what was claimed must be sent.
            wait_s = self._begin(claim)
        for (key, _), answer in zip(ended, answers, strict=False):
            if isinstance(answer, BaseException):
                continue
            del self._unsettled[key]
            if answer == "LOST":
                _log.warning("callbacks.lease_lost", delivery=key[0], attempt=key[1])
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return wait_s


def _slots_within_limits(slots: int) -> int:
    """Return how many attempts fit in the process's limit on open files."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return slots
    return max(_FEWEST_SLOTS, min(slots, limit - _OTHER_FILES))
