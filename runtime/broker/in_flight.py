"""The attempts that a worker process holds, from the claim until they are settled or requeued.

The heartbeat extends the leases of these attempts and of no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runtime.broker.attempt import Attempt


class InFlight:
    """The attempts in flight of one worker process. Used by the loop thread only."""

    def __init__(self) -> None:
        self._held: dict[str, Attempt] = {}  # by invocation id
        self._on_empty: Callable[[], object] | None = None

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, attempts: Iterable[Attempt]) -> list[Attempt]:
        """Add attempts that have been claimed.

        Returns:
            Earlier attempts of the same invocations, which are no longer held: their leases ran
            out, and this worker has claimed the invocations again.
        """
        replaced = []
        for attempt in attempts:
            before = self._held.get(attempt.claimed.id)
            if before is not None and before.claimed.token != attempt.claimed.token:
                replaced.append(before)
            self._held[attempt.claimed.id] = attempt
        return replaced

    def drop(self, attempts: Iterable[Attempt]) -> None:
        """Remove attempts that are settled or requeued."""
        held = self._held
        for attempt in attempts:
            invocation_id = attempt.claimed.id
            # A later attempt of the invocation may have replaced it.
            if held.get(invocation_id) is attempt:
                del held[invocation_id]
        if not held and self._on_empty is not None:
            on_empty, self._on_empty = self._on_empty, None
            on_empty()

    def find(self, invocation_id: str) -> Attempt | None:
        """Return the attempt of an invocation that is held, or None."""
        return self._held.get(invocation_id)

    def held(self) -> list[Attempt]:
        """Return all attempts that are held."""
        return list(self._held.values())

    def when_empty(self, callback: Callable[[], object]) -> None:
        """Call back once, as soon as nothing is held: at once if that is the case now."""
        if self._held:
            self._on_empty = callback
        else:
            callback()
