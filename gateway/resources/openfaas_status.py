"""A function's status as OpenFaaS's clients read it.

They are written in Go, which decodes by type: one number where a text belongs, or one time that
cannot be parsed, and the client refuses the whole list. So what is unknown is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.live.worker_details import WorkerDetails
from gateway.parsing.function_names import NAMESPACE
from runtime.invocations.status import FINISHED
from runtime.invocations.view import moment
from runtime.registry.manifest import Manifest
from runtime.sdk.options import MIB


def function_status(
    manifest: Manifest,
    *,
    counts: Mapping[str, int],
    workers: Iterable[WorkerDetails],
    published_at_ms: int | None,
) -> dict[str, Any]:
    """Return the status of a function.

    Args:
        manifest: The function.
        counts: How many of its invocations have ended, by final status.
        workers: The live workers; each that serves the function's queue is a replica.
        published_at_ms: Since when its version serves; None if that is unknown.
    """
    queue = manifest.options.queue
    replicas = sum(queue in worker.queues for worker in workers) if manifest.version else 0
    status: dict[str, Any] = {
        "name": manifest.name,
        "image": f"penstock/{manifest.name}:{manifest.version or 'none'}",
        "namespace": NAMESPACE,
        "invocationCount": sum(counts.get(ending.value, 0) for ending in FINISHED),
        "replicas": replicas,
        "availableReplicas": replicas,
        "labels": {"queue": queue},
        "annotations": {"summary": manifest.summary, "com.openfaas.queue": queue},
        "limits": {"memory": f"{manifest.options.memory_bytes // MIB}Mi"},
    }
    if published_at_ms is not None:
        status["createdAt"] = moment(published_at_ms)
    return status
