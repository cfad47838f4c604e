"""Schemas of lists, bulk operations, batches, queues and workers, for the OpenAPI document."""

from __future__ import annotations

from gateway.openapi.json_schema import (
    ANY_OBJECT,
    COUNT,
    LINKS,
    MAYBE_COUNT,
    MAYBE_MOMENT,
    MAYBE_TEXT,
    MEASURE,
    MOMENT,
    TEXT,
    Json,
    array_of,
    choice,
    closed,
    component,
    component_ref,
    described,
    flag,
    list_of,
    maybe,
    object_of,
)
from gateway.parsing.batch_body import MOST_ITEMS
from runtime.invocations.status import Status

_OLD = "Null if the worker runs an older release."
_NEXT = described(MAYBE_TEXT, "The `cursor` for the next request; null if nothing is left.")
_CANCELLED = described(COUNT, "How many were waiting; they are cancelled now.")
_CANCELLING = described(COUNT, "How many are running; their workers stop them.")
_BATCH = {
    "id": {"type": "string", "format": "uuid", "description": "Its id, a UUIDv7."},
    "function": described(TEXT, "The name of the function."),
    "size": described(COUNT, "How many invocations it has."),
    "counts": described(
        object_of(
            **{status.value: described(COUNT, f"How many are {status.value}.") for status in Status}
        ),
        "How many of its invocations are in each status.",
    ),
    "created_at": described(MOMENT, "When it was accepted."),
    "finished_at": described(MAYBE_MOMENT, "When its last invocation finished."),
    "caller": described(MAYBE_TEXT, "The name of the API key that submitted it."),
    "callback": described(maybe(component_ref("Callback")), "Its callback, if it has one."),
    "links": LINKS,
}
_RUNNING = object_of(
    id=described(TEXT, "The id of the invocation."),
    function=described(TEXT, "The name of the function."),
    started_at=described(MOMENT, "When the attempt started."),
)
_RUNNER = object_of(
    pid=described(COUNT, "The process id."),
    function=described(TEXT, "The function that it runs, or ran last."),
    version=described(TEXT, "The version of that function."),
    in_flight=described(COUNT, "How many attempts it holds, started or not."),
    window=described(COUNT, "How many attempts it may hold."),
)
_LOOP = object_of(
    lag_ms_max=described(MEASURE, "The longest delay in milliseconds."),
    lag_ms_mean=described(MEASURE, "The mean delay in milliseconds."),
)
_RUNNER_WAIT = object_of(
    count=described(COUNT, "How many attempts had to wait."),
    sum_s=described(MEASURE, "How long they waited in total, in seconds."),
)
_FOLDER = object_of(
    folder=described(TEXT, "The path of the folder."),
    state=choice(
        ["published", "differs", "empty", "absent", "unknown"],
        "`published`: the folder equals what is published. `differs`: it does "
        "not. `empty`: it has no functions, but some are published. `absent`: there is no such "
        "folder. `unknown`: it has not been compared yet.",
    ),
    files=described(COUNT, "How many function files it has."),
    digest=described(TEXT, "A digest of those files; equal folders have equal digests."),
    differing=described(array_of(TEXT), "The first 20 files that differ, by name."),
)

_WORKER_ENVIRONMENTS = object_of(
    ready=described(array_of(TEXT), "The keys of those that are ready."),
    building=described(COUNT, "How many it is building."),
)

CONTROL_SCHEMAS: dict[str, Json] = {
    "InvocationList": list_of(component_ref("Invocation")),
    "CancelledInvocation": {
        "description": "The invocation, and how it is being cancelled.",
        "allOf": [
            component_ref("Invocation"),
            object_of(
                cancellation=choice(
                    ["done", "requested", "cooperative"],
                    "`done`: it is cancelled. `requested`: its worker is "
                    "stopping it. `cooperative`: it runs in a thread, and `ctx.cancelled` asks "
                    "it to stop.",
                )
            ),
        ],
    },
    "Retries": component(
        "How many invocations were retried.",
        count=described(COUNT, "How many were retried."),
        skipped=described(
            COUNT,
            "How many were not, because the function is gone, does not accept the "
            "arguments any more, or may not be invoked by the caller.",
        ),
        next=_NEXT,
    ),
    "Cancels": component(
        "How many invocations were cancelled.",
        cancelled=_CANCELLED,
        cancelling=_CANCELLING,
        next=_NEXT,
    ),
    "Matches": component(
        "How many invocations match the filter.",
        count=described(COUNT, "How many were counted."),
        more=flag("True if the count stopped early, so there may be more."),
        before=described(
            MOMENT,
            "Only invocations accepted before this time were counted. Send it as `before` "
            "to leave out those that were accepted later.",
        ),
    ),
    "Batch": component(
        "Invocations of one function that were submitted together. `items` and "
        "`next` are present if a page of them was requested.",
        list(_BATCH),
        **_BATCH,
        items=described(array_of(component_ref("Invocation")), "One page of them."),
        next=described(MAYBE_TEXT, "The `cursor` of the next page; null on the last."),
    ),
    "CancelledBatch": {
        "description": "The batch, and how many of its invocations were cancelled.",
        "allOf": [
            component_ref("Batch"),
            object_of(cancelled=_CANCELLED, cancelling=_CANCELLING),
        ],
    },
    "BatchItems": {
        "description": "The arguments of the invocations of a batch.",
        "type": "array",
        "items": described(ANY_OBJECT, "The arguments of one invocation."),
        "minItems": 1,
        "maxItems": MOST_ITEMS,
    },
    "Queue": component(
        "A named queue of invocations.",
        name=described(TEXT, "The name of the queue."),
        paused=flag("True if nothing in it may start."),
        depth=described(COUNT, "How many invocations wait and are due."),
        scheduled=described(COUNT, "How many wait for their time or for a retry."),
        in_flight=described(COUNT, "How many are running."),
        oldest_ms=described(
            MAYBE_COUNT, "The age of the oldest waiting one in milliseconds, if any."
        ),
        workers=described(COUNT, "How many workers serve the queue."),
    ),
    "QueueList": list_of(component_ref("Queue")),
    "QueueChange": closed(
        component(
            "What to change about the queue.", paused=flag("True pauses it; false resumes it.")
        )
    ),
    "Purge": component(
        "The result of a purge.", cancelled=described(COUNT, "How many invocations were cancelled.")
    ),
    "Worker": component(
        "A worker process, as of its last heartbeat.",
        id=described(TEXT, "The id of the worker."),
        host=described(TEXT, "The name of its host."),
        pid=described(COUNT, "Its process id."),
        queues=described(array_of(TEXT), "The queues that it serves."),
        started_at=described(MOMENT, "When it started."),
        last_seen_at=described(MOMENT, "When its last heartbeat arrived."),
        running=described(array_of(_RUNNING), "The attempts that it runs; at most the 100 oldest."),
        in_flight=described(COUNT, "How many attempts it holds, started or not."),
        max_in_flight=described(MAYBE_COUNT, f"How many it may hold. {_OLD}"),
        runners=described(array_of(_RUNNER), "Its runner processes."),
        loop=described(
            maybe(_LOOP),
            f"How late its event loop ran what was due, between its last two heartbeats. {_OLD}",
        ),
        runner_wait=described(
            maybe(_RUNNER_WAIT),
            f"The attempts that waited for a runner since the worker started. {_OLD}",
        ),
        memory_bytes=described(COUNT, "The memory of the worker and its processes."),
        publishes=flag("True for the one worker that publishes its functions folder."),
        functions=described(_FOLDER, "How its functions folder compares with what is published."),
        environments=described(
            _WORKER_ENVIRONMENTS, "The environments in which its functions run."
        ),
    ),
    "Environment": component(
        "An interpreter with the packages that functions need, on one or more machines.",
        key=described(TEXT, "Its name."),
        python=described(TEXT, "The version of its interpreter."),
        platform=described(TEXT, "The ABI of its interpreter."),
        functions=described(array_of(TEXT), "The functions that run in it."),
        packages=described(COUNT, "How many packages are installed."),
        bytes=described(COUNT, "How many bytes of the disk it takes."),
        state=choice(["ready"], "Environments are shown when they are complete."),
        last_used_at=described(MAYBE_MOMENT, "When a worker last used it."),
        workers=described(array_of(TEXT), "The workers on whose machines it is."),
    ),
    "EnvironmentList": list_of(component_ref("Environment")),
    "Relocking": component(
        "The function whose dependencies are being resolved anew.",
        function=described(TEXT, "Its name."),
        file=described(TEXT, "Its file."),
    ),
    "Publishing": component(
        "The worker that publishes from now on.",
        worker=described(TEXT, "The id of the worker."),
        withdraw_missing=flag("Whether it withdraws functions that are not in its folder."),
    ),
    "WorkerList": list_of(component_ref("Worker")),
}
