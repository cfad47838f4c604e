"""The long description of each operation of the route table, for the OpenAPI document.

The summary of an operation is in the route table; its description says what a caller has to know
besides the schemas. Every documented operation has one (tests/unit/gateway/openapi).
"""

from __future__ import annotations

from gateway.routing.operation import Operation

_BULK = (
    "At least one of `function` and `status` is required, so that a mistake cannot change every "
    "invocation."
)
_NEXT = (
    "One request handles a limited number of invocations. If the response has a `next`, send the "
    "request again with that value as `cursor`."
)
_OWN = "A key that has only `invoke` scopes can do this for the calls of its own name."

DESCRIPTIONS: dict[str, str] = {
    "invoke": "Invokes the function with this name. Use this operation for functions that were "
    "published after a client was generated; arguments and results have no types here. For a "
    "published function, the operation `invoke_<name>` does the same with types. The gateway "
    "queues the call and returns 202 with the invocation. With `Prefer: wait=N` it returns when "
    "the invocation has finished, or returns 202 after N seconds. The body holds the arguments as "
    "a JSON object, or whatever else the function accepts: form fields, bytes, or any body at all "
    "for a function that reads the request itself. Such a function receives the query string too, "
    "so the options in the query do not apply.",
    "get_function": "Returns the function's version, the JSON Schemas of its arguments and its "
    "result, its options, and how many of its invocations wait and how the others finished. If the "
    "file on disk failed to load, `error` says why, and the previous version keeps serving. "
    "`state` is `loading` from the moment the file is found until a version can serve.",
    "relock_function": "Resolves what the function's block of inline script metadata asks for "
    "again, so that newer releases of its packages are used, and publishes the function with the "
    "new lock. The version that serves goes on until then. Without this, a lock does not move.",
    "list_environments": "Returns the environments that live workers report, sorted by key, each "
    "with the functions that run in it. `next` is always null.",
    "delete_environment": "Deletes an environment on all machines, unless a function runs in it. "
    "An environment that is needed again later is built from its lock.",
    "list_functions": "Returns every function that the caller may see, sorted by name, each as "
    "`get_function` returns it. The response holds all of them; `next` is always null.",
    "list_invocations": "Returns the invocations that match all filters, newest first, one page at "
    "a time. `next` is the `cursor` of the next page; it is valid for one day and for the same "
    "filters. Arguments and results over 20 kB are left out here; `get_invocation` returns them.",
    "count_retries": "Counts the invocations that `retry_invocations` would retry with the same "
    f"filters. Nothing is retried. {_BULK} The count stops at about 10,000; `more` is then true.",
    "retry_invocations": "Retries the invocations that finished with `status` (default `failed`) "
    "and have not been retried before, with the same arguments, on the current version of the "
    "function. Each invocation is retried at most once, even if this request is repeated. "
    f"{_BULK} {_NEXT}",
    "count_cancels": "Counts the invocations that `cancel_invocations` would cancel with the same "
    f"filters. Nothing is cancelled. {_BULK} The count stops at about 10,000; `more` is then true.",
    "cancel_invocations": "Cancels invocations that have not finished. Waiting invocations are "
    f"cancelled at once; workers stop those that run. {_BULK} {_NEXT}",
    "get_invocation": "Returns the invocation with its status, arguments, attempts, and result or "
    "error. The status code is 200 whether the invocation succeeded, failed or is unfinished. With "
    "`Prefer: wait=N` the response comes when the invocation has finished, or after N seconds with "
    "its status at that time. With `If-None-Match` the response is 304 if nothing has changed.",
    "cancel_invocation": "Cancels the invocation. If it is waiting, it is cancelled at once. If it "
    "runs, its worker stops it, and kills the runner process if necessary; a function with "
    f"`isolation=thread` is only asked to stop. `cancellation` says which applies. {_OWN}",
    "retry_invocation": "Invokes the function again with the arguments of a finished invocation, "
    "on the current version, and returns the new invocation. Its `retry_of` is the id of the old "
    f"one. {_OWN}",
    "get_invocation_result": "Returns the result of the function and nothing else: JSON, or bytes "
    "with their own media type. A `Response` is returned with its own status and headers, without "
    "its cookies. Until the invocation finishes, the response is 409 "
    "`invocation_unfinished`. If it did not succeed, the response is the problem that a waiting "
    "caller would have received. `Prefer: wait=N` waits for the invocation to finish.",
    "get_invocation_logs": "Returns, as plain text, what all attempts of the function printed and "
    "logged so far. Output over the limit is cut off, and a mark in the text shows where.",
    "follow_invocation": "Streams the events of the invocation as server-sent events, from the "
    "first event or from the one after `Last-Event-ID`, until the event `end`. The events are "
    "`status`, `progress`, `log`, `item` (a value that a generator yields), `event` (a value that "
    "the function emits) and `end`. A client that has already received `end` gets 204, so that it "
    "does not reconnect.",
    "list_schedules": "Returns schedules sorted by id, one page at a time: those created through "
    "this API and those that functions declare in their files.",
    "create_schedule": "Creates a schedule. At every time that its cron line names, the function "
    "is invoked with these arguments. The arguments are checked now, like those of a call.",
    "get_schedule": "Returns the schedule with its next five firing times, its last invocation, "
    "and the latest firing times that were skipped, with the reasons.",
    "change_schedule": "Changes the fields in the body and leaves the others as they are. A "
    "schedule that a function declares can only be paused and resumed here; change the rest in the "
    "function's file.",
    "delete_schedule": "Deletes a schedule that was created through this API. Invocations it has "
    "already made are not affected. A schedule that a function declares cannot be deleted, only "
    "paused.",
    "fire_schedule": "Invokes the schedule's function once, now, with the schedule's arguments, "
    "even if the schedule is paused or its last invocation is still running.",
    "submit_batch": "Invokes the function once for each item, up to 10,000. The body is a JSON "
    "array of argument objects, or one object per line (NDJSON). All items are validated first, "
    "and the batch is accepted completely or not at all; if it is refused, `errors` names the item "
    "and the argument. Options in the query apply to every item. With `X-Callback-Url`, one "
    "callback is sent when the last invocation has finished.",
    "get_batch": "Returns the batch with the number of its invocations in each status. With "
    "`limit` or `cursor` it also returns a page of the invocations, in the order of the items.",
    "cancel_batch": "Cancels every invocation of the batch that has not finished. Waiting "
    f"invocations are cancelled at once; workers stop those that run. {_OWN}",
    "retry_batch": "Retries the invocations of the batch that finished with `status` (default "
    f"`failed`) and have not been retried before. {_NEXT} {_OWN}",
    "list_deliveries": "Returns callback deliveries, newest first, one page at a time.",
    "get_delivery": "Returns the delivery of one callback: its status, every attempt with the "
    "response status or the error, and when the next attempt is due.",
    "redeliver": "Sends the callback again now, whatever its status. The `webhook-id` stays the "
    "same, so that a receiver can recognize the repetition.",
    "list_workers": "Returns the worker processes that have sent a heartbeat recently, with the "
    "attempts that each one runs and the number that each of its runners holds. The response holds "
    "all of them; `next` is always null.",
    "publish_functions": "Makes this worker the one that publishes its functions folder, even if "
    "the folder differs from what is published. This is needed because a worker whose folder "
    "differs does not replace published functions by itself. Functions that are not in the folder "
    "stay published unless `withdraw_missing` is true. `GET /workers` shows which worker publishes "
    "and which folders differ.",
    "list_queues": "Returns every queue with the number of waiting and running invocations, the "
    "age of the oldest waiting one, and the number of workers that serve it. The response holds "
    "all queues; `next` is always null.",
    "change_queue": "Pauses or resumes the queue. While a queue is paused, no invocation in it "
    "starts. Calls are still accepted, and running invocations continue.",
    "purge_queue": "Cancels every waiting invocation of the queue and returns how many there were. "
    "Running invocations continue.",
    "list_quarantine": "Returns the number of invocations (at most 1,000) that were set aside "
    "because their records are missing or damaged, and the latest 100 of them with the reasons.",
    "list_checks": "Returns the consistency checks that wait or run, and the last ones that "
    "finished, without their findings. The response holds all of them; `next` is always null.",
    "ask_check": "Starts a consistency check: a worker compares the data in Redis, and with "
    "`repair` fixes what it can without losing data. If a check of the same kind is already "
    "waiting, the response is that check.",
    "get_check": "Returns the progress of the check, what it found, and what remains unrepaired. "
    "Use `last` as the id to get the check that finished last. Checks are kept for 30 days.",
    "livez": "Returns 200 while the gateway process serves requests. It does not ask Redis, so an "
    "outage of Redis does not make an orchestrator restart gateways.",
    "readyz": "Returns 200 if Redis answers within one second and at least one published function "
    "can serve, otherwise 503.",
    "metrics": "Returns the metrics of the whole system, the same from every gateway: as "
    "OpenMetrics if the client accepts it, otherwise in the older text format of Prometheus.",
    "openapi_json": "Returns this document as JSON. It describes the functions that are published "
    "now and that the caller may see.",
    "openapi_yaml": "Returns this document as YAML. It describes the functions that are published "
    "now and that the caller may see.",
    "docs": "Returns this document as an HTML page. The page loads nothing from other hosts.",
    "problem": "Returns an HTML page that explains a problem code. The `type` of a problem is the "
    "address of this page.",
    "get_statistics": "Returns how many invocations finished in the last minutes, with which "
    "status, and how long they waited and ran, in steps of one or more minutes. The counts cover "
    "all functions, or one function with the `function` parameter.",
    "list_keys": "Returns every API key with its scopes and its last use, oldest first. The text "
    "of a key is not stored, so it cannot be shown.",
    "create_key": "Creates an API key. The response is the only place where its text appears; the "
    "server stores a digest. Keys with the same name count as one caller.",
    "revoke_key": "Revokes the API key. From now on, every gateway refuses the key and the "
    "sessions that were opened with it.",
    "get_session": "Returns who the caller is: the name and the scopes of the key, and when it "
    "expires. If the gateway needs no key, `open` is true.",
    "log_in": "Checks an API key and sets a session cookie for it, for the dashboard in a browser. "
    "The session ends after twelve hours, when the key expires or is revoked, or with `log_out`.",
    "log_out": "Ends the session of the cookie on every gateway, and deletes the cookie in the "
    "browser.",
}


def operation_description(operation: Operation) -> str:
    """Return the description of an operation; without one, its summary as a sentence."""
    return DESCRIPTIONS.get(operation.id, f"{operation.summary}.")
