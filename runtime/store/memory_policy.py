"""Check that Redis does not evict what it holds: `maxmemory-policy` must be `noeviction`.

Any other policy lets Redis delete records, staged batches and deliveries when memory runs short,
one key at a time and without an error.
"""

from __future__ import annotations

import structlog

from runtime.errors import StoreError
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command

_log = structlog.get_logger(__name__)

SAFE = "noeviction"
_FIELD = b"maxmemory_policy:"


def read_memory_policy() -> Command[str]:
    """Read the policy; empty if the server does not report it."""
    return Command(("INFO", "memory"), _read)


def _read(reply: bytes) -> str:
    for line in reply.splitlines():
        if line.startswith(_FIELD):
            return line.removeprefix(_FIELD).decode("utf-8", "replace").strip()
    return ""


def danger_of(policy: str) -> str | None:
    """Return what a policy may do to calls; None for the right one and for an unknown one."""
    if policy in {SAFE, ""}:
        return None
    return (
        f"Redis has maxmemory-policy {policy}: when memory is short it deletes accepted calls. "
        f"Set it to {SAFE}."
    )


def warn_of_eviction(connection: BlockingConnection) -> None:
    """Log a warning if Redis may evict what it holds."""
    try:
        danger = danger_of(connection.run(read_memory_policy()))
    except StoreError as error:  # the server does not report it: the operator has to know it
        _log.info("memory_policy_unread", error=str(error))
    else:
        if danger:
            _log.warning("redis_may_evict", why=danger)
