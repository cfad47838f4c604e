"""/functions and /functions/{name}: the published functions and their counts; POST invokes one."""

from __future__ import annotations

import time
from typing import Any

from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.auth.webhook_callers import WebhookCallers
from gateway.live.manifest_cache import ManifestCache
from gateway.resources.invoke import InvokeFunction
from gateway.resources.json_answer import answer_json
from runtime.errors import StoreUnavailableError
from runtime.invocations.view import moment
from runtime.registry.manifest import EnvironmentView, Manifest
from runtime.store import function_commands
from runtime.store.async_connection import AsyncConnection

_COUNTED = ("succeeded", "failed", "cancelled", "expired", "retried", "lost", "waiting")


class FunctionList:
    """GET /functions."""

    def __init__(
        self, store: AsyncConnection, manifest_cache: ManifestCache, webhooks: WebhookCallers
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._webhooks = webhooks

    async def on_get(self, req: Request, resp: Response) -> None:
        """List every function that the caller may see, by name."""
        if not self._manifest_cache.is_loaded:
            raise StoreUnavailableError("Redis has not answered since the gateway started.")
        stats = await _read_stats(self._store)
        may_see = caller_of(req.scope).grant.may_see
        manifests = [m for m in self._manifest_cache.manifests.values() if may_see(m.name)]
        items = [
            function_view(manifest, stats.get(manifest.name, {}), self._webhooks)
            for manifest in manifests
        ]
        answer_json(resp, {"items": items, "next": None})


class Function:
    """GET and POST /functions/{name}."""

    def __init__(
        self,
        store: AsyncConnection,
        manifest_cache: ManifestCache,
        invoke: InvokeFunction,
        webhooks: WebhookCallers,
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._webhooks = webhooks
        self.on_post = invoke.on_post

    async def on_get(self, req: Request, resp: Response, name: str) -> None:  # noqa: ARG002
        """Show one function."""
        manifest = await self._manifest_cache.find(name)
        stats = await _read_stats(self._store)
        answer_json(resp, function_view(manifest, stats.get(name, {}), self._webhooks))


def _state_of(manifest: Manifest) -> str:
    if manifest.version:
        return "serving"
    return "loading" if manifest.is_loading else "unavailable"


async def _read_stats(store: AsyncConnection) -> dict[str, dict[str, int]]:
    """Return counts by function: of outcomes, and of waiting invocations."""
    stats, waiting = await store.run_many(
        [function_commands.read_stats(), function_commands.read_waiting()]
    )
    for function, count in waiting.items():
        stats.setdefault(function, {})["waiting"] = count
    return dict(stats)


def _environment_view(environment: EnvironmentView) -> dict[str, Any]:
    """Return where a function runs; while it is being built, since how many seconds."""
    seconds = environment.seconds
    if environment.is_under_way:
        seconds = round(max(0.0, time.time() - environment.since_ms / 1000), 1)
    return {
        "state": environment.state,
        "key": environment.key or None,
        "python": environment.python or None,
        "packages": environment.packages,
        "bytes": environment.bytes,
        "built_at": moment(environment.built_at_ms or None),
        "seconds": seconds,
        "message": environment.message or None,
    }


def _verification_view(manifest: Manifest, webhooks: WebhookCallers) -> dict[str, Any] | None:
    """Return how webhooks are verified, and whether this gateway has the secret."""
    verification = manifest.options.verify
    if verification is None:
        return None
    return {
        "scheme": verification.scheme,
        "secret": verification.secret,
        "is_set": webhooks.has_secret(verification),
    }


def function_view(
    manifest: Manifest, counts: dict[str, int], webhooks: WebhookCallers
) -> dict[str, Any]:
    """Return a function as callers see it."""
    here = f"/functions/{manifest.name}"
    return {
        "name": manifest.name,
        "version": manifest.version or None,
        "summary": manifest.summary,
        "description": manifest.description,
        "parameters": manifest.parameters,
        "returns": manifest.returns,
        "options": manifest.options,
        "queue": manifest.options.queue,
        "window": manifest.window,
        "takes_request": manifest.takes_request,
        "methods": manifest.methods,
        "verification": _verification_view(manifest, webhooks),
        "state": _state_of(manifest),
        "error": manifest.error,
        "environment": _environment_view(manifest.environment),
        "dependencies": manifest.dependencies,
        "stats": {name: counts.get(name, 0) for name in _COUNTED},
        "links": {
            "self": here,
            "invoke": here,
            "raw": f"/function/{manifest.name}",
            "batch": f"{here}/batch",
            "openapi": "/openapi.json",
        },
    }
