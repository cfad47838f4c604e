"""Callback addresses judged a moment ago, so that accepting a call need not resolve a name anew.

What is remembered counts for acceptance only. A sender resolves and judges the address again at
each attempt (`runtime.callbacks.ssrf_guard`): a name that leads elsewhere by then is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from runtime.callbacks.ssrf_guard import Policy, parse_target, resolve_allowed

_TRUSTED_S = 10.0
_MOST = 1024


class AddressCache:
    """Addresses that passed, by their text and by their host.

    Args:
        policy: What an operator allows.
        trusted_s: How long a host counts as judged.
        clock: Monotonic seconds.
        options: Of `resolve_allowed`.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        trusted_s: float = _TRUSTED_S,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,  # noqa: ANN401 - those of resolve_allowed
    ) -> None:
        self._policy = policy
        self._trusted_s = trusted_s
        self._clock = clock
        self._options = options
        self._hosts: dict[tuple[str, int], float] = {}  # until when they count
        self._addresses: dict[str, tuple[str, float]] = {}

    def recall(self, url: str) -> str | None:
        """Return an address as it is kept; None if it has to be judged first.

        Raises:
            CallbackAddressError: It is malformed.
        """
        now = self._clock()
        kept, until = self._addresses.get(url, ("", 0.0))
        if until > now:
            return kept
        target = parse_target(url)
        until = self._hosts.get((target.host, target.port), 0.0)
        return self._note(url, target.url, until) if until > now else None

    async def check(self, url: str) -> str:
        """Resolve the name of an address, judge what it leads to; return it as it is kept.

        Raises:
            CallbackAddressError: It may not be called, or not be resolved in time.
        """
        checked = await resolve_allowed(url, self._policy, **self._options)
        until = self._clock() + self._trusted_s
        if len(self._hosts) >= _MOST:
            self._hosts.clear()
        self._hosts[checked.host, checked.port] = until
        return self._note(url, checked.url, until)

    def _note(self, given: str, kept: str, until: float) -> str:
        if len(self._addresses) >= _MOST:
            self._addresses.clear()
        self._addresses[given] = (kept, until)
        return kept
