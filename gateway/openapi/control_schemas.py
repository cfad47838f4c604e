"""What steering answers: lists of invocations, cancels, retries, batches, queues, workers."""

from __future__ import annotations

from gateway.openapi.json_schema import (
    ANY_OBJECT,
    COUNT,
    MAYBE_COUNT,
    MAYBE_MOMENT,
    MAYBE_TEXT,
    MEASURE,
    MOMENT,
    TEXT,
    Json,
    component_ref,
    list_of,
    object_of,
)
from gateway.parsing.batch_body import MOST_ITEMS
from runtime.invocations.status import Status

_OLD = "Null where the worker is of an earlier release."
_BATCH = {
    "id": {"type": "string", "format": "uuid"},
    "function": TEXT,
    "size": COUNT,
    "counts": object_of({status.value: COUNT for status in Status}),
    "created_at": MOMENT,
    "finished_at": MAYBE_MOMENT,
    "caller": MAYBE_TEXT,
    "callback": {"anyOf": [component_ref("Callback"), {"type": "null"}]},
    "links": {"type": "object", "additionalProperties": TEXT},
}

CONTROL_SCHEMAS: dict[str, Json] = {
    "InvocationList": list_of(component_ref("Invocation")),
    "CancelledInvocation": {
        "description": "The invocation as it now stands, and how its cancelling goes on.",
        "allOf": [
            component_ref("Invocation"),
            object_of(
                {
                    "cancellation": {
                        "type": "string",
                        "enum": ["done", "requested", "cooperative"],
                        "description": "`done`: it has ended. `requested`: its runner is being "
                        "killed. `cooperative`: it runs in a thread and is asked to stop by "
                        "`ctx.cancelled`.",
                    }
                }
            ),
        ],
    },
    "Retries": {
        "description": "How many were retried; with `next`, ask again with it as `cursor`.",
        **object_of(
            {
                "count": COUNT,
                "skipped": {
                    **COUNT,
                    "description": "Those whose function is gone or takes other arguments now.",
                },
                "next": MAYBE_TEXT,
            }
        ),
    },
    "Cancels": {
        "description": "How many were cancelled; with `next`, ask again with it as `cursor`.",
        **object_of(
            {
                "cancelled": {**COUNT, "description": "Those that waited: they have ended."},
                "cancelling": {**COUNT, "description": "Those that run: their workers were told."},
                "next": MAYBE_TEXT,
            }
        ),
    },
    "Matches": {
        "description": "How many there are, before anything is done to them.",
        **object_of(
            {
                "count": COUNT,
                "more": {
                    "type": "boolean",
                    "description": "There may be more: not all were looked at.",
                },
                "before": {
                    **MOMENT,
                    "description": "Only those accepted before this were counted: given on as "
                    "`before`, what comes later stays out of it.",
                },
            }
        ),
    },
    "Batch": {
        "description": "Many invocations of one function submitted together; `items` and `next` "
        "when a page of them was asked for.",
        **object_of(
            {
                **_BATCH,
                "items": {"type": "array", "items": component_ref("Invocation")},
                "next": MAYBE_TEXT,
            },
            list(_BATCH),
        ),
    },
    "CancelledBatch": {
        "description": "The batch, and how many were cancelled or whose workers were told.",
        "allOf": [component_ref("Batch"), object_of({"cancelled": COUNT, "cancelling": COUNT})],
    },
    "BatchItems": {
        "type": "array",
        "items": {**ANY_OBJECT, "description": "The arguments of one call."},
        "minItems": 1,
        "maxItems": MOST_ITEMS,
    },
    "Queue": {
        "description": "A named line of waiting invocations.",
        **object_of(
            {
                "name": TEXT,
                "paused": {"type": "boolean"},
                "depth": COUNT,
                "scheduled": COUNT,
                "in_flight": COUNT,
                "oldest_ms": MAYBE_COUNT,
                "workers": COUNT,
            }
        ),
    },
    "QueueList": list_of(component_ref("Queue")),
    "QueueChange": {
        **object_of({"paused": {"type": "boolean"}}),
        "additionalProperties": False,
    },
    "Purge": object_of({"cancelled": COUNT}),
    "Worker": {
        "description": "A worker process, as of its last heartbeat.",
        **object_of(
            {
                "id": TEXT,
                "host": TEXT,
                "pid": COUNT,
                "queues": {"type": "array", "items": TEXT},
                "started_at": MOMENT,
                "last_seen_at": MOMENT,
                "running": {
                    "type": "array",
                    "description": "What it runs; the oldest 100.",
                    "items": object_of({"id": TEXT, "function": TEXT, "started_at": MOMENT}),
                },
                "in_flight": {
                    **COUNT,
                    "description": "Attempts that it holds, begun or not.",
                },
                "max_in_flight": {**MAYBE_COUNT, "description": f"How many it may hold. {_OLD}"},
                "runners": {
                    "type": "array",
                    "description": "Its runner processes, and the attempts that lie with each: "
                    "up to `window` of them, all of one function. An idle one names the function "
                    "that it ran last.",
                    "items": object_of(
                        {
                            "pid": COUNT,
                            "function": TEXT,
                            "version": TEXT,
                            "in_flight": COUNT,
                            "window": COUNT,
                        }
                    ),
                },
                "loop": {
                    "description": "How late its event loop ran what was due, between its last two "
                    f"heartbeats. {_OLD}",
                    "anyOf": [
                        object_of({"lag_ms_max": MEASURE, "lag_ms_mean": MEASURE}),
                        {"type": "null"},
                    ],
                },
                "runner_wait": {
                    "description": "How many attempts have waited for a runner since it started, "
                    f"and how long together. {_OLD}",
                    "anyOf": [
                        object_of({"count": COUNT, "sum_s": MEASURE}),
                        {"type": "null"},
                    ],
                },
                "memory_bytes": COUNT,
                "publishes": {
                    "type": "boolean",
                    "description": "It is the one worker that publishes its functions folder.",
                },
                "functions": {
                    "description": "How its functions folder stands to what is published.",
                    **object_of(
                        {
                            "folder": TEXT,
                            "state": {
                                **TEXT,
                                "enum": ["published", "differs", "empty", "absent", "unknown"],
                                "description": "`published`: it holds what is published. `empty`: "
                                "it holds nothing, but something is published. `unknown`: nobody "
                                "has looked yet.",
                            },
                            "files": {**COUNT, "description": "Function files in it."},
                            "digest": {
                                **TEXT,
                                "description": "Of those files; equal folders have equal digests.",
                            },
                            "differing": {
                                "type": "array",
                                "items": TEXT,
                                "description": "Files that differ, the first 20 by name.",
                            },
                        }
                    ),
                },
            }
        ),
    },
    "Publishing": {
        "description": "The worker that was told to publish.",
        **object_of({"worker": TEXT, "withdraw_missing": {"type": "boolean"}}),
    },
    "WorkerList": list_of(component_ref("Worker")),
}
