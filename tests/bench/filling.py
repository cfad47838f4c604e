"""Fill a Redis with invocations through the real scripts, many to a round trip.

Used by `tests.bench.scale`: what waits was submitted, what has finished was claimed and settled,
as gateways and workers do it, only without HTTP and without running anything.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from runtime.invocations.submission import prepare, submit
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from runtime.store.invocation_commands import Settlement, claim, settle
from runtime.store.scripts import Command

QUEUE = "default"
WORKER = "filler"
LEASE_MS = 3_600_000
TTL_MS = 24 * 3_600_000
_AT_ONCE = 400
_CLAIMED_AT_ONCE = 100


def publish(connection: BlockingConnection, *names: str) -> list[Manifest]:
    """Publish functions that take a text, and return their manifests."""
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    manifests = [
        Manifest(name=name, version="3f9a1c0b7d2e", file=f"{name}.py", parameters=schema)
        for name in names
    ]
    for manifest in manifests:
        connection.run(
            publish_function(
                manifest.name,
                manifest=encode_manifest(manifest),
                version=manifest.version,
                source=b"",
            )
        )
    return manifests


def fill_waiting(
    connection: BlockingConnection, manifests: list[Manifest], count: int, arguments: bytes
) -> float:
    """Submit so many, the functions taking turns; return the seconds it took."""
    began_at = time.monotonic()
    for first in _steps("submitted", count, _AT_ONCE):
        connection.run_many(
            [
                submit(prepare(manifests[number % len(manifests)], arguments))
                for number in range(first, min(first + _AT_ONCE, count))
            ]
        )
    return time.monotonic() - began_at


def finish_all(
    connection: BlockingConnection, count: int, result: bytes, *, failed_every: int
) -> float:
    """Claim and settle all that waits; every so many fails. Return the seconds it took."""
    began_at = time.monotonic()
    error = b'{"type":"exception","exception_type":"ValueError","message":"no","traceback":""}'
    ended = 0
    for _ in _steps("finished", count, _CLAIMED_AT_ONCE):
        claimed = connection.run(
            claim(queue=QUEUE, worker=WORKER, limit=_CLAIMED_AT_ONCE, lease_ms=LEASE_MS)
        ).items
        settlements = []
        for one in claimed:
            ended += 1
            has_failed = ended % failed_every == 0
            settlements.append(
                Settlement(
                    id=one.id,
                    token=one.token,
                    status="failed" if has_failed else "succeeded",
                    ttl_ms=TTL_MS,
                    error=error if has_failed else b"",
                    result=b"" if has_failed else result,
                )
            )
        connection.run(settle(settlements, worker=WORKER))
    if ended < count:
        raise RuntimeError(f"{ended} of {count} were finished")
    return time.monotonic() - began_at


def used_bytes(connection: BlockingConnection) -> int:
    """Return what Redis says its data take."""
    text = connection.run(Command(("INFO", "memory"), bytes.decode))
    found = dict(row.split(":", 1) for row in text.splitlines() if ":" in row)
    return int(found["used_memory"])


def script_usec(connection: BlockingConnection) -> float:
    """Return the mean time of a script on the server since the last reset, in microseconds."""
    text = connection.run(Command(("INFO", "commandstats"), bytes.decode))
    for row in text.splitlines():
        if row.startswith("cmdstat_evalsha:"):
            return float(row.split("usec_per_call=")[1].split(",")[0])
    return 0.0


def _steps(what: str, count: int, step: int) -> Iterator[int]:
    """Count up, and show how far it has come."""
    told_at = time.monotonic()
    for first in range(0, count, step):
        yield first
        if time.monotonic() - told_at > 1.0:
            told_at = time.monotonic()
            sys.stderr.write(f"\r  {what} {min(first + step, count):,} of {count:,} ")
            sys.stderr.flush()
    sys.stderr.write(f"\r  {what} {count:,}{' ' * 24}\n")
