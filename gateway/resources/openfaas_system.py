"""The routes `/healthz` and `/system/…` of OpenFaaS, except its logs: read-only.

Functions are files here, so what would change them is answered 501, with what to do instead.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.auth.permissions import lacks_scope
from gateway.live.manifest_cache import ManifestCache
from gateway.live.worker_details import read_details
from gateway.parsing.function_names import NAMESPACE, find_name, is_namespace
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from gateway.resources.openfaas_status import function_status
from runtime.errors import StoreUnavailableError, UnknownFunctionError
from runtime.registry.manifest import Manifest
from runtime.store.async_connection import AsyncConnection
from runtime.store.function_commands import read_published_at, read_stats
from runtime.store.system_commands import read_workers

_FILES = (
    "Functions are files here: a file put into the functions folder is published, and one that is "
    "removed is withdrawn."
)
_SCALING = (
    "How many calls of a function run at once is declared in its file, with "
    "@function(concurrency=…); start more workers for more replicas."
)
_SECRETS = (
    "Secrets are environment variables of the workers; PENSTOCK_FUNCTION_ENV names those that "
    "functions get."
)


class OpenFaasHealth:
    """GET /healthz: as /livez, without Redis."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer 200."""
        resp.content_type = "text/plain; charset=utf-8"
        resp.data = b"OK\n"


class OpenFaasInfo:
    """GET /system/info."""

    def __init__(self) -> None:
        release = {"sha": "", "release": version("penstock")}
        # Clients follow both pointers without a check.
        self._info = {
            "provider": {"provider": "penstock", "orchestration": "penstock", "version": release},
            "version": release,
            "arch": platform.machine(),
        }

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Show the release."""
        answer_json(resp, self._info)


class _Statuses:
    """The base of the resources that show functions."""

    def __init__(self, store: AsyncConnection, manifest_cache: ManifestCache) -> None:
        self._store = store
        self._manifest_cache = manifest_cache

    async def _show(self, manifests: list[Manifest]) -> list[dict[str, Any]]:
        stats, published_at_ms, workers = await self._store.run_many(
            [read_stats(), read_published_at(), read_workers()]
        )
        details = [read_details(worker) for worker in workers]
        return [
            function_status(
                manifest,
                counts=stats.get(manifest.name, {}),
                workers=details,
                published_at_ms=published_at_ms.get(manifest.name),
            )
            for manifest in manifests
        ]


class OpenFaasFunctions(_Statuses):
    """/system/functions."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """List the functions that the caller may see, by name; another namespace has none."""
        if not self._manifest_cache.is_loaded:
            raise StoreUnavailableError("Redis has not answered since the gateway started.")
        may_see = caller_of(req.scope).grant.may_see
        seen = [m for m in self._manifest_cache.manifests.values() if may_see(m.name)]
        answer_json(resp, await self._show(seen if _is_here(req) else []))

    async def on_post(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Refuse to deploy a function."""
        raise ProblemError("not_implemented", _FILES)

    on_put = on_post
    on_delete = on_post


class OpenFaasFunction(_Statuses):
    """GET /system/function/{name}."""

    async def on_get(self, req: Request, resp: Response, name: str) -> None:
        """Show one function."""
        meant = find_name(self._manifest_cache.manifests, name) or name
        if not caller_of(req.scope).grant.may_see(meant):
            raise lacks_scope("see", name)
        if not _is_here(req):
            raise UnknownFunctionError(f"The only namespace is {NAMESPACE}.")
        [status] = await self._show([await self._manifest_cache.find(meant)])
        answer_json(resp, status)


class OpenFaasScaling:
    """POST /system/scale-function/{name}."""

    async def on_post(self, req: Request, resp: Response, name: str) -> None:  # noqa: ARG002
        """Refuse to scale a function."""
        raise ProblemError("not_implemented", _SCALING)


class OpenFaasNamespaces:
    """GET /system/namespaces."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List the only namespace."""
        answer_json(resp, [NAMESPACE])


class OpenFaasNamespace:
    """GET /system/namespace/{namespace}."""

    async def on_get(self, req: Request, resp: Response, namespace: str) -> None:  # noqa: ARG002
        """Show the only namespace."""
        if namespace != NAMESPACE:
            raise ProblemError("not_found", f"The only namespace is {NAMESPACE}.")
        answer_json(resp, {"name": NAMESPACE, "annotations": {}, "labels": {}})


class OpenFaasSecrets:
    """/system/secrets."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List nothing: the gateway has no secrets of functions."""
        answer_json(resp, [])

    async def on_post(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Refuse to store a secret."""
        raise ProblemError("not_implemented", _SECRETS)

    on_put = on_post
    on_delete = on_post


def _is_here(req: Request) -> bool:
    return is_namespace(req.get_param("namespace") or "")
