"""GET /environments, DELETE /environments/{key}, and POST /functions/{name}/relock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import structlog
from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.live.manifest_cache import ManifestCache
from gateway.live.worker_details import EnvironmentDetails, read_details
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from runtime.invocations.view import moment
from runtime.registry.manifest import Manifest
from runtime.store.async_connection import AsyncConnection
from runtime.store.system_commands import WorkerState, order_workers, read_workers

_log = structlog.get_logger(__name__)


class EnvironmentList:
    """GET /environments."""

    def __init__(self, store: AsyncConnection, manifest_cache: ManifestCache) -> None:
        self._store = store
        self._manifest_cache = manifest_cache

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List the environments of all machines, by key."""
        workers = await self._store.run(read_workers())
        items = environment_views(workers, self._manifest_cache.manifests.values())
        answer_json(resp, {"items": items, "next": None})


class OneEnvironment:
    """DELETE /environments/{key}."""

    def __init__(self, store: AsyncConnection, manifest_cache: ManifestCache) -> None:
        self._store = store
        self._manifest_cache = manifest_cache

    async def on_delete(self, req: Request, resp: Response, key: str) -> None:
        """Have the workers delete an environment; if it is needed again, it is built anew."""
        workers = await self._store.run(read_workers())
        views = environment_views(workers, self._manifest_cache.manifests.values())
        found = next((each for each in views if each["key"] == key), None)
        if found is None:
            raise ProblemError(
                "environment_not_found", f"No worker reports an environment {key[:64]!r}."
            )
        if found["functions"]:
            named = ", ".join(found["functions"][:5])
            raise ProblemError("environment_in_use", f"It is the environment of {named}.")
        await self._store.run(order_workers(f"remove_environment {key}"))
        _log.info("environment_removal_asked", environment=key, by=caller_of(req.scope).name)
        resp.status = "204 No Content"


class Relocking:
    """POST /functions/{name}/relock."""

    def __init__(self, store: AsyncConnection, manifest_cache: ManifestCache) -> None:
        self._store = store
        self._manifest_cache = manifest_cache

    async def on_post(self, req: Request, resp: Response, name: str) -> None:
        """Have the dependencies of a function resolved anew; what serves goes on meanwhile."""
        manifest = await self._manifest_cache.find(name)
        await self._store.run(order_workers(f"relock {manifest.file}"))
        _log.info("relock_asked", function=name, by=caller_of(req.scope).name)
        answer_json(resp, {"function": name, "file": manifest.file}, 202)


def environment_views(
    workers: Iterable[WorkerState], manifests: Iterable[Manifest]
) -> list[dict[str, Any]]:
    """Return the environments that workers report, as callers see them."""
    needed: dict[str, set[str]] = {}
    serving = [manifest for manifest in manifests if manifest.version]
    names = {manifest.name for manifest in serving}
    for manifest in serving:
        if manifest.environment.key:
            needed.setdefault(manifest.environment.key, set()).add(manifest.name)
    present: dict[str, EnvironmentDetails] = {}
    holders: dict[str, list[str]] = {}
    for worker in workers:
        for each in read_details(worker).environments.present:
            known = present.get(each.key)
            if known is None or known.last_used_at_ms < each.last_used_at_ms:
                present[each.key] = each
            holders.setdefault(each.key, []).append(worker.id)
            # On another machine's interpreter the same lock has another key.
            needed.setdefault(each.key, set()).update(names.intersection(each.functions))
    return [_view(present[key], needed, holders) for key in sorted(present)]


def _view(
    details: EnvironmentDetails,
    needed: Mapping[str, Collection[str]],
    holders: Mapping[str, list[str]],
) -> dict[str, Any]:
    return {
        "key": details.key,
        "python": details.python,
        "platform": details.platform,
        "functions": sorted(needed.get(details.key, ())),
        "packages": details.packages,
        "bytes": details.bytes,
        "state": "ready",
        "last_used_at": moment(details.last_used_at_ms or None),
        "workers": sorted(holders[details.key]),
    }
