"""Run a whole consistency check at once."""

from __future__ import annotations

from runtime.invocations.consistency import Finding, Walk
from runtime.store.blocking_connection import BlockingConnection


def check_all(connection: BlockingConnection, *, repair: bool = False) -> list[Finding]:
    """Run a whole check at once and return its findings."""
    return [one for page in Walk(connection, repair=repair).pages() for one in page]
