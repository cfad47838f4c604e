"""The function `rows` for tests of batches, and a hand that takes what waits of it."""

from __future__ import annotations

from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.store.invocation_commands import Claimed, claim
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from tests.support.gateway_process import LEASE_MS, RunningGateway

PATH = "/functions/rows/batch"
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
ROWS = Manifest(
    name="rows",
    version="r1",
    file="rows.py",
    parameters={
        "type": "object",
        "properties": {"width": {"type": "integer"}, "text": {"type": "string"}},
        "required": ["width"],
        "additionalProperties": False,
    },
    options=Options(queue="rows"),
)


def claim_rows(gateway: RunningGateway, most: int = 1000) -> list[Claimed]:
    """Take what waits, as a worker does."""
    call = claim(queue="rows", worker="w-1", limit=most, lease_ms=LEASE_MS)
    return list(gateway.connection.run(call).items)


def count_waiting(gateway: RunningGateway) -> int:
    """Return how many calls wait."""
    count = Command(("HGET", Keys().build("waiting"), "rows"), lambda reply: int(reply or 0))
    return gateway.connection.run(count)
