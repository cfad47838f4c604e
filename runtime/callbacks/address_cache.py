"""Callback addresses that were checked less than 10 s ago.

The gateway uses it when it accepts a call, so as not to resolve a host name each time. The sender
does not: it resolves and checks the address at every attempt (`runtime.callbacks.ssrf_guard`), so a
name that leads elsewhere by then is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from runtime.callbacks.ssrf_guard import Policy, parse_target, resolve_allowed

_TRUSTED_S = 10.0
_MOST = 1024


class AddressCache:
    """Allowed addresses, by URL and by host.

    Args:
        policy: What the operator allows.
        trusted_s: How long the check of a host counts.
        clock: Monotonic seconds.
        options: Further arguments of `resolve_allowed`.
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
        self._hosts: dict[tuple[str, int], float] = {}  # host and port -> end of its time
        self._addresses: dict[str, tuple[str, float]] = {}  # URL -> as stored, end

    def recall(self, url: str) -> str | None:
        """Return an address in the form that is stored; None if `check` must be called first.

        Raises:
            CallbackAddressError: The address is malformed.
        """
        now = self._clock()
        kept, until = self._addresses.get(url, ("", 0.0))
        if until > now:
            return kept
        target = parse_target(url)
        until = self._hosts.get((target.host, target.port), 0.0)
        return self._note(url, target.url, until) if until > now else None

    async def check(self, url: str) -> str:
        """Resolve and check an address; return it in the form that is stored.

        Raises:
            CallbackAddressError: Malformed, not allowed, or not resolved in time.
        """
        checked = await resolve_allowed(url, self._policy, **self._options)
        until = self._clock() + self._trusted_s
        if len(self._hosts) >= _MOST:
            self._hosts.clear()
        self._hosts[checked.target.host, checked.target.port] = until
        return self._note(url, checked.target.url, until)

    def _note(self, given: str, kept: str, until: float) -> str:
        if len(self._addresses) >= _MOST:
            self._addresses.clear()
        self._addresses[given] = (kept, until)
        return kept
