"""What each operation of the route table does, at length: the reference and generators show it.

A summary is a line of the table; here stands what a caller has to know besides the schemas.
Every documented operation has a text (tests/unit/gateway/openapi).
"""

from __future__ import annotations

from gateway.routing.operation import Operation

_BULK = (
    "At least one of `function` and `status` is needed, so that nobody changes all there is by "
    "mistake."
)
_NEXT = (
    "One request goes through a limited number of them: while the answer has a `next`, send it "
    "again with that as `cursor`."
)
_OWN = "With a key that has `invoke` alone, this works for what the same caller has called."

DESCRIPTIONS: dict[str, str] = {
    "invoke": "Calls the function of this name, also one that was published after a client was "
    "generated: arguments and results have no types here. The operation `invoke_<name>` of a "
    "published function does the same and has its types. The call is queued and answered with "
    "202 and the invocation; with `Prefer: wait=N` the answer comes when the call has ended, or "
    "with 202 after N seconds. The body is the arguments as a JSON object, or what else the "
    "function takes: parts of a form, bytes, or for a function that reads the request itself, "
    "anything. Such a function gets the query as well, so the options in it do not apply.",
    "get_function": "Returns the function's version, the JSON Schemas of its arguments and its "
    "result, its options, and how many of its calls wait and how they ended. `error` says why "
    "the file on disk did not load, if so; the version before it then goes on serving. `state` is "
    "`loading` while its file was seen and nothing serves yet.",
    "list_functions": "Returns every function that the caller may see, by name, with what "
    "`get_function` returns of each. All are in one answer; `next` is always null.",
    "list_invocations": "Returns invocations that pass all filters, the newest first, a page at a "
    "time. `next` is the `cursor` of the next page, for a day and the same filters. Arguments and "
    "results over 20 kB are left out here; `get_invocation` has them.",
    "count_retries": "Counts the invocations that `retry_invocations` with the same filters would "
    f"retry, and retries none. {_BULK} The count stops at 10,000 and then says `more`.",
    "retry_invocations": "Calls again, with the same arguments on the current version, whatever "
    "ended with `status` (`failed` if not given) and was not retried before. Each is retried once, "
    f"however often this is sent. {_BULK} {_NEXT}",
    "count_cancels": "Counts the invocations that `cancel_invocations` with the same filters "
    f"would cancel, and cancels none. {_BULK} The count stops at 10,000 and then says `more`.",
    "cancel_invocations": "Cancels invocations that have not ended: those that wait end at once, "
    f"those that run are ended by their workers. {_BULK} {_NEXT}",
    "get_invocation": "Returns the invocation with its status, arguments, result or error, and "
    "attempts. The answer is 200 whatever became of it. With `Prefer: wait=N` the answer comes "
    "when it has ended, or after N seconds as it then stands. `If-None-Match` saves the body "
    "while nothing has changed.",
    "cancel_invocation": "Cancels the invocation. One that waits ends at once; of one that runs, "
    "the runner process is killed; a function with `isolation=thread` is only asked to stop. "
    f"`cancellation` says which of these it was. {_OWN}",
    "retry_invocation": "Calls the function again with the arguments of an invocation that has "
    "ended, on the current version, and returns the new invocation; its `retry_of` names the old "
    f"one. {_OWN}",
    "get_invocation_result": "Returns what the function returned and nothing around it: JSON, or "
    "bytes with their own media type. Before the end the answer is 409 `invocation_unfinished`; "
    "a call that did not succeed is answered as a call that waited for it. `Prefer: wait=N` waits "
    "for the end.",
    "get_invocation_logs": "Returns as plain text what the function printed and logged, while it "
    "runs and afterwards. Output over the limit is cut off, with a mark where.",
    "follow_invocation": "Sends what happens to the invocation as server-sent events, from its "
    "beginning or after `Last-Event-ID`, and ends with the event `end`. The events are `status`, "
    "`progress`, `log`, `item` (what a generator yields), `event` (what the function emits) and "
    "`end`. 204 tells a client that has had the end not to come again.",
    "list_schedules": "Returns schedules by id, a page at a time: those made here and those that "
    "functions declare in their files.",
    "create_schedule": "Makes a schedule: at every moment that its cron line names, the function "
    "is invoked with these arguments. The arguments are judged now, as those of a call are.",
    "get_schedule": "Returns the schedule with its next five moments, its last invocation, and the "
    "latest moments at which it did not fire, with the reasons.",
    "change_schedule": "Changes the members that are sent and leaves the others. A schedule that "
    "its function declares can be paused and resumed only; the rest is in the function's file.",
    "delete_schedule": "Deletes a schedule that was made here. What it has invoked goes on. A "
    "schedule that its function declares cannot be deleted, only paused.",
    "fire_schedule": "Invokes the schedule's function once, now, with the schedule's arguments, "
    "also while the schedule is paused or its last invocation runs.",
    "submit_batch": "Calls the function once for each item: a JSON array of argument objects, or "
    "one object a line (NDJSON), up to 10,000. All items are judged first, and the batch is "
    "accepted whole or not at all; `errors` then names item and argument. Options in the query "
    "hold for every item. With `X-Callback-Url` one callback follows when the last has ended.",
    "get_batch": "Returns the batch with how many of its invocations stand how. With `limit` or "
    "`cursor` it also returns a page of the invocations, in the order in which they were sent.",
    "cancel_batch": "Cancels every invocation of the batch that has not ended: those that wait end "
    f"at once, those that run are ended by their workers. {_OWN}",
    "retry_batch": "Calls again those invocations of the batch that ended with `status` (`failed` "
    f"if not given) and were not retried before. {_NEXT} {_OWN}",
    "list_deliveries": "Returns deliveries of callbacks, the newest first, a page at a time.",
    "get_delivery": "Returns the delivery of one callback: its status, every attempt with the "
    "answer or the error, and when the next attempt is due.",
    "redeliver": "Sends the callback again at once, whatever its status, under the same "
    "`webhook-id`, so that a receiver can tell a repetition.",
    "list_workers": "Returns the worker processes that have been heard of lately, with what each "
    "of them runs and how much lies with each of its runners. All are in one answer; `next` is "
    "always null.",
    "publish_functions": "Tells a worker to publish its functions folder from now on, whatever is "
    "published; needed where its files differ from what is published, as a folder that differs "
    "replaces nothing by itself. What is not in that folder stays published, unless "
    "`withdraw_missing` is true. GET /workers shows who publishes and whose files differ.",
    "list_queues": "Returns every queue with how much waits and runs in it, how long the oldest "
    "call has waited, and how many workers serve it. All are in one answer.",
    "change_queue": "Pauses the queue or resumes it. Of a paused queue nothing new starts; calls "
    "are still accepted, and what runs goes on.",
    "purge_queue": "Cancels every invocation that waits in the queue, and returns how many there "
    "were. What runs goes on.",
    "list_quarantine": "Returns how many invocations were set aside because their records are gone "
    "or damaged, at most 1,000, and the latest hundred of them with the reasons.",
    "list_checks": "Returns the consistency checks that were asked for, that run, and the last "
    "that ended, without their findings. All are in one answer.",
    "ask_check": "Asks for a consistency check: a worker compares everything that Redis holds, and "
    "with `repair` mends what it can without losing anything. When a check of the same kind is "
    "asked for and not begun, that one is returned.",
    "get_check": "Returns how far the check is, what it found and what is left of that. `last` in "
    "place of an id is the last check that has ended. Checks are kept for 30 days.",
    "livez": "Answers 200 as long as the gateway process serves requests. Redis is not asked, so "
    "an outage of Redis restarts no gateway.",
    "readyz": "Answers 200 when Redis answers within a second and at least one function is "
    "published, else 503.",
    "metrics": "Returns the metrics of the whole system, whichever gateway answers: as OpenMetrics "
    "for those who accept it, else in the older text format of Prometheus.",
    "openapi_json": "Returns this document as JSON, made of the functions that are published now, "
    "as far as the caller may see them.",
    "openapi_yaml": "Returns this document as YAML, made of the functions that are published now, "
    "as far as the caller may see them.",
    "docs": "Returns this document as a page for people. The page asks no other host for anything.",
    "problem": "Returns a page that says what a code means. The `type` of a problem leads here.",
    "get_statistics": "Returns how many calls ended in the last minutes and how, and how long they "
    "waited and ran, in steps of one or more minutes: of all functions, or of one.",
    "list_keys": "Returns every API key with its scopes and its last use, the oldest first. The "
    "text of a key is not kept, so it is not shown.",
    "create_key": "Makes an API key and returns its text, which is shown this once and stored as a "
    "digest. Keys of one name are one caller.",
    "revoke_key": "Revokes the API key: from now on every gateway refuses it, and the sessions "
    "that were opened with it.",
    "get_session": "Returns who the caller is: the name and scopes of the key, and until when it "
    "is valid. Where nobody is asked for a key, `open` is true.",
    "log_in": "Checks an API key and sets a cookie that stands for it, for the dashboard in a "
    "browser. The session ends after twelve hours, with the key, or by `log_out`.",
    "log_out": "Ends the session that the cookie stands for, on every gateway, and has the browser "
    "forget the cookie.",
}


def operation_description(operation: Operation) -> str:
    """Return what an operation does; one without a text is told by its summary."""
    return DESCRIPTIONS.get(operation.id, f"{operation.summary}.")
