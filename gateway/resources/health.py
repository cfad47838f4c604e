"""/livez and /readyz, for those who start, watch and route to gateways."""

from __future__ import annotations

import asyncio

import msgspec
from falcon.asgi import Request, Response

from gateway.live.manifest_cache import ManifestCache
from gateway.problems import ProblemError
from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.async_connection import AsyncConnection
from runtime.store.memory_policy import danger_of, read_memory_policy
from runtime.store.recovery_commands import Quarantine, read_quarantine
from runtime.store.scripts import Command

_LONGEST_S = 1.0
_AWAY = "Redis does not answer."
_PING: Command[object] = Command(("PING",), lambda reply: reply)


class Livez:
    """GET /livez: never touches Redis, so a Redis outage restarts no gateway."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer."""
        resp.content_type = "application/json"
        resp.data = b'{"status":"alive"}'


class Readyz:
    """GET /readyz: for everybody, so only an open gateway says more than whether."""

    def __init__(
        self, store: AsyncConnection, directory: ManifestCache, *, shows_details: bool
    ) -> None:
        self._store = store
        self._directory = directory
        self._shows_details = shows_details

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer 200 when Redis answers within a second and functions are published.

        What is wrong and stops nobody is told besides, as warnings.
        """
        try:
            async with asyncio.timeout(_LONGEST_S):
                warnings = await self._find_warnings()
        except (StoreError, TimeoutError) as error:
            why = str(error) or f"nothing within {_LONGEST_S:g} s"
            said = f"Redis does not answer: {why}." if self._shows_details else _AWAY
            raise ProblemError("not_ready", said) from error
        count = sum(bool(manifest.version) for manifest in self._directory.manifests.values())
        if not count:
            raise ProblemError("not_ready", _why_none(self._directory))
        resp.content_type = "application/json"
        if self._shows_details:
            reported = {"status": "ready", "functions": count, "warnings": warnings}
            resp.data = msgspec.json.encode(reported)
        else:
            resp.data = b'{"status":"ready"}'

    async def _find_warnings(self) -> list[dict[str, str]]:
        if not self._shows_details:
            await self._store.run(_PING)
            return []
        quarantine = await self._store.run(read_quarantine(most=0))
        warnings = []
        if quarantine.count:
            warnings.append({"code": "invocations_set_aside", "detail": _set_aside(quarantine)})
        try:
            danger = danger_of(await self._store.run(read_memory_policy()))
        except StoreUnavailableError:
            raise
        except StoreError:  # a server that does not tell
            danger = None
        if danger:
            warnings.append({"code": "redis_may_evict", "detail": danger})
        return warnings


def _why_none(directory: ManifestCache) -> str:
    """Say why no function can be called; names and errors are for those who have a key."""
    if not directory.is_loaded:
        return "Redis answers, but has not told yet which functions are published."
    if directory.manifests:
        return f"None of the {len(directory.manifests)} functions has loaded."
    return "No functions are published yet."


def _set_aside(quarantine: Quarantine) -> str:
    are = "invocation is" if quarantine.count == 1 else "invocations are"
    return (
        f"{quarantine.count} {are} set aside, because the record is gone or damaged; "
        "all others go on. `GET /quarantine` lists them."
    )
