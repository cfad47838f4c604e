"""Run one claimed attempt and note how it ended.

Worker threads call this: through the function's Dramatiq actor where there is middleware, else
directly. It joins what the broker claimed, what
the catalog knows of the function and what the executor makes of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile

import msgspec
import structlog

from runtime.broker.attempt import Attempt
from runtime.errors import StoreError, UnknownFunctionError
from runtime.execution.executor import Executor
from runtime.execution.outcome import Assignment, Outcome
from runtime.registry.catalog import Catalog
from runtime.registry.manifest import Manifest
from runtime.store.invocation_calls import FAILURE_TTL_MS, Claimed, Settlement
from runtime.worker.teller import Teller

SetApart = Callable[[int, Callable[[Attempt], bool]], Sequence[Attempt]]
_log = structlog.get_logger(__name__)


class AttemptRunner:
    """Runs attempts in Dramatiq's worker threads; safe to call from many at once.

    Args:
        catalog: Knows functions.
        executor: Runs them.
        teller: Writes what they tell.
        step_aside: Called by a thread before it waits for anything.
        is_instant: Whether a function's runs are so short that nobody need step aside for them.
        set_apart: Returns at most so many attempts that the calling thread will get next, and
            only such as may follow.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        executor: Executor,
        teller: Teller,
        step_aside: Callable[[], None] = lambda: None,
        is_instant: Callable[[str], bool] = lambda _: False,
        set_apart: SetApart | None = None,
    ) -> None:
        self._catalog = catalog
        self._executor = executor
        self._teller = teller
        self._step_aside = step_aside
        self._is_instant = is_instant
        self._set_apart = set_apart

    def run(self, attempt: Attempt) -> None:
        """Run the attempt; leaves no settlement when it must be given back instead."""
        claimed = attempt.claimed
        attempt.is_begun = True
        if attempt.is_lost:  # another worker has it
            return
        attempt.begun_at_ms = time.time_ns() // 1_000_000
        if not self._catalog.holds(claimed.version):
            self._step_aside()
        try:
            manifest, bundle = self._catalog.function(claimed.function, claimed.version)
        except UnknownFunctionError as error:
            attempt.settlement = _failed(claimed, str(error))
            return
        except StoreError as error:
            _log.warning("source_unreachable", id=claimed.id, error=str(error))
            return
        stays = manifest.options.isolation == "thread" and self._is_instant(claimed.function)
        telling = self._teller.listen(claimed)
        attempt.last_words = lambda is_final: telling.last_words(is_final=is_final)
        try:
            outcome = self._executor.run(
                _assignment(claimed),
                manifest,
                bundle,
                on_note=telling.put,
                is_cancelled=lambda: attempt.is_cancelled,
                on_wait=_stay if stays else self._step_aside,
                next_up=partial(self._next_up, claimed),
            )
        except Exception as error:  # noqa: BLE001 - outermost: an attempt must have an ending
            _log.exception("executor_failed", id=claimed.id)
            attempt.settlement = _failed(claimed, f"Penstock could not run it: {error!r}")
            return
        attempt.duration_ms = outcome.duration_ms
        if outcome.status == "succeeded" or not attempt.is_given_back:
            attempt.settlement = _settlement(claimed, manifest, outcome)

    def _next_up(self, first: Claimed, most: int) -> list[Assignment]:
        def may_follow(attempt: Attempt) -> bool:
            claimed = attempt.claimed
            return (claimed.function, claimed.version) == (first.function, first.version)

        if self._set_apart is None:
            return []
        following = takewhile(
            lambda attempt: not (attempt.is_cancelled or attempt.is_lost),
            self._set_apart(most, may_follow),
        )
        return [_assignment(attempt.claimed) for attempt in following]


def _stay() -> None:
    pass


def _assignment(claimed: Claimed) -> Assignment:
    return Assignment(
        id=claimed.id,
        function=claimed.function,
        version=claimed.version,
        attempt=claimed.attempt,
        arguments=claimed.arguments,
        request=claimed.request or None,
        created_at_ms=claimed.created_at_ms,
        traceparent=claimed.traceparent or None,
        tracestate=claimed.tracestate or None,
    )


def _settlement(claimed: Claimed, manifest: Manifest, outcome: Outcome) -> Settlement:
    result_ttl_ms = int(manifest.options.result_ttl_s * 1000)
    has_failed = outcome.status != "succeeded"
    return Settlement(
        id=claimed.id,
        token=claimed.token,
        status=outcome.status,
        ttl_ms=max(FAILURE_TTL_MS, result_ttl_ms) if has_failed else result_ttl_ms,
        retry_after_ms=outcome.retry_after_ms,
        result_type=outcome.result_type,
        media_type=outcome.media_type,
        result=outcome.result,
        error=outcome.error,
        logs=outcome.logs,
    )


def _failed(claimed: Claimed, message: str) -> Settlement:
    error = {"type": "exception", "message": message, "traceback": None}
    return Settlement(
        id=claimed.id,
        token=claimed.token,
        status="failed",
        ttl_ms=FAILURE_TTL_MS,
        error=msgspec.json.encode(error),
    )
