"""Check a callback URL from a test, without an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from runtime.callbacks.resolver import Resolver, resolve_host
from runtime.callbacks.ssrf_guard import Policy, ResolvedTarget, resolve_allowed


def check_url(
    url: str, policy: Policy, *, resolve: Callable[[str, int], Sequence[str]] = resolve_host
) -> ResolvedTarget:
    """Parse, resolve and check a callback address, as the sender does."""
    return asyncio.run(resolve_allowed(url, policy, resolver=Resolver(resolve)))
