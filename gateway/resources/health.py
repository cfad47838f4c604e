"""/livez and /readyz, for supervisors, monitoring and load balancers."""

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
    """GET /livez: never uses Redis, so that a Redis outage restarts no gateway."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer 200."""
        resp.content_type = "application/json"
        resp.data = b'{"status":"alive"}'


class Readyz:
    """GET /readyz: needs no key, so only a gateway that requires none shows details."""

    def __init__(
        self, store: AsyncConnection, manifest_cache: ManifestCache, *, shows_details: bool
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._shows_details = shows_details

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer 200 if Redis answers within a second and a function can be called.

        A function whose environment is being built counts: no roll-out waits for builds.

        Faults that stop no call are listed as warnings.
        """
        try:
            async with asyncio.timeout(_LONGEST_S):
                warnings = await self._find_warnings()
        except (StoreError, TimeoutError) as error:
            why = str(error) or f"no answer within {_LONGEST_S:g} s"
            said = f"Redis does not answer: {why}." if self._shows_details else _AWAY
            raise ProblemError("not_ready", said) from error
        manifests = self._manifest_cache.manifests.values()
        count = sum(bool(manifest.version) for manifest in manifests)
        if not count and not any(each.environment.is_under_way for each in manifests):
            raise ProblemError("not_ready", _why_none(self._manifest_cache))
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
        except StoreError:  # this server does not report its memory policy
            danger = None
        if danger:
            warnings.append({"code": "redis_may_evict", "detail": danger})
        return warnings


def _why_none(manifest_cache: ManifestCache) -> str:
    """Return why no function can be called, without names and errors: those need a key."""
    if not manifest_cache.is_loaded:
        return "Redis answers, but the published functions have not been read yet."
    if manifest_cache.manifests:
        return f"None of the {len(manifest_cache.manifests)} functions has loaded."
    return "No functions are published yet."


def _set_aside(quarantine: Quarantine) -> str:
    are = "invocation is" if quarantine.count == 1 else "invocations are"
    return (
        f"{quarantine.count} {are} in quarantine, because the record is missing or damaged; "
        "no others are affected. `GET /quarantine` lists them."
    )
