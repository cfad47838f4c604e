"""What a worker process has in hand: the heartbeat extends the leases of this and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runtime.broker.attempt import Attempt


class InFlight:
    """The claimed attempts of one worker process, until their endings are written.

    Only the loop's thread changes it.
    """

    def __init__(self) -> None:
        self._held: dict[str, Attempt] = {}
        self._on_empty: Callable[[], object] | None = None

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, attempts: Iterable[Attempt]) -> list[Attempt]:
        """Take up what has been claimed.

        Returns:
            Earlier attempts of the same invocations, which had been taken over from this worker:
            they are held no more.
        """
        replaced = []
        for attempt in attempts:
            before = self._held.get(attempt.claimed.id)
            if before is not None and before.claimed.token != attempt.claimed.token:
                replaced.append(before)
            self._held[attempt.claimed.id] = attempt
        return replaced

    def drop(self, attempts: Iterable[Attempt]) -> None:
        """Let go of attempts that are settled or given back."""
        held = self._held
        for attempt in attempts:
            invocation_id = attempt.claimed.id
            if held.get(invocation_id) is attempt:
                del held[invocation_id]
        if not held and self._on_empty is not None:
            on_empty, self._on_empty = self._on_empty, None
            on_empty()

    def find(self, invocation_id: str) -> Attempt | None:
        """Return what is held of an invocation."""
        return self._held.get(invocation_id)

    def held(self) -> list[Attempt]:
        """Return what is held now."""
        return list(self._held.values())

    def when_empty(self, callback: Callable[[], object]) -> None:
        """Call once as soon as nothing is held, now if that is so."""
        if self._held:
            self._on_empty = callback
        else:
            callback()
