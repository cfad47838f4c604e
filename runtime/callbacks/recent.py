"""Callback addresses judged a moment ago, so that accepting a call need not resolve a name anew.

What is remembered counts for acceptance only. A sender resolves and judges the address again at
each attempt (`runtime.callbacks.guard`): a name that leads elsewhere by then is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from runtime.callbacks.guard import Policy, judge_async, parse_target

_TRUSTED_S = 10.0
_MOST = 1024


class RecentJudgements:
    """Addresses that passed, by their text and by their host.

    Args:
        policy: What an operator allows.
        trusted_s: How long a host counts as judged.
        clock: Monotonic seconds.
        options: Of `judge_async`.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        trusted_s: float = _TRUSTED_S,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,  # noqa: ANN401 - those of judge_async
    ) -> None:
        self._policy = policy
        self._trusted_s = trusted_s
        self._clock = clock
        self._options = options
        self._until: dict[str | tuple[str, int], float] = {}

    def passed(self, url: str) -> bool:
        """Whether an address need not be judged now.

        Raises:
            CallbackAddressError: It is malformed.
        """
        now = self._clock()
        if self._until.get(url, 0.0) > now:
            return True
        target = parse_target(url)
        until = self._until.get((target.host, target.port), 0.0)
        if until <= now:
            return False
        self._note(url, until)
        return True

    async def judge(self, url: str) -> None:
        """Resolve the name of an address, and judge what it leads to.

        Raises:
            CallbackAddressError: It may not be called, or not be resolved in time.
        """
        judged = await judge_async(url, self._policy, **self._options)
        until = self._clock() + self._trusted_s
        self._note((judged.host, judged.port), until)
        self._note(url, until)

    def _note(self, what: str | tuple[str, int], until: float) -> None:
        if len(self._until) >= _MOST:
            self._until.clear()
        self._until[what] = until
