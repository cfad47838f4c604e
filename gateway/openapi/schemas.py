"""Schemas of problems, invocations, functions and deliveries, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from gateway.openapi.json_schema import (
    ANY_OBJECT,
    COUNT,
    LINKS,
    MAYBE_COUNT,
    MAYBE_MOMENT,
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    array_of,
    choice,
    component,
    component_ref,
    described,
    flag,
    list_of,
    maybe,
    object_of,
)
from gateway.problems import KINDS
from runtime.invocations.status import Status
from runtime.sdk.option_parsing import METHODS
from runtime.sdk.verification import SCHEME_NAMES

_MAYBE_ANY_OBJECT = {**ANY_OBJECT, "type": ["object", "null"]}
_URI = {"type": "string", "format": "uri"}
_URI_REFERENCE = {"type": "string", "format": "uri-reference"}
_FAULT = object_of(
    pointer=described(TEXT, "The place of the fault."),
    detail=described(TEXT, "What is wrong there."),
)
_MAYBE_ERROR = maybe(component_ref("InvocationError"))
ERROR_TYPES = (
    "exception",
    "timeout",
    "worker_lost",
    "out_of_memory",
    "exited",
    "result_not_serializable",
    "result_too_large",
    "rejected",
    "arguments_invalid",
)

_ATTEMPT = object_of(
    attempt=described(COUNT, "The number of the attempt; the first is 1."),
    started_at=described(MAYBE_MOMENT, "When the attempt started."),
    finished_at=described(MAYBE_MOMENT, "When the attempt finished; null while it runs."),
    worker=described(MAYBE_TEXT, "The id of the worker that ran it."),
    outcome=described(
        MAYBE_TEXT,
        "The final status of the invocation, or `retrying`, `worker_lost` or `given_back`; "
        "null while the attempt runs.",
    ),
    error=described(_MAYBE_ERROR, "Why the attempt failed; null if it did not."),
)
_FILE_ERROR = object_of(
    type=described(TEXT, "The kind of error."),
    message=described(TEXT, "The error message."),
    file=described(TEXT, "The file with the error, relative to the functions folder."),
    line={"type": ["integer", "null"], "description": "The line number, if it is known."},
)
_DELIVERY_ATTEMPT = object_of(
    at=described(MOMENT, "When the attempt started."),
    duration_ms=described(COUNT, "How long the attempt took, in milliseconds."),
    status_code={
        "type": ["integer", "null"],
        "description": "The HTTP status of the response; null if there was no response.",
    },
    error=described(MAYBE_TEXT, "Why the attempt failed; null if it succeeded."),
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "Problem": component(
        "An error (RFC 9457). `code` is stable; `title` and `detail` may change.",
        ["type", "title", "status", "detail", "code"],
        type=described(_URI_REFERENCE, "A page that explains the code."),
        title=described(TEXT, "A short text for this code."),
        status={
            "type": "integer",
            "minimum": 400,
            "maximum": 599,
            "description": "The HTTP status.",
        },
        detail=described(TEXT, "What happened in this request."),
        instance=described(_URI_REFERENCE, "The path of the request."),
        code=choice(sorted(KINDS), "The error code, for programs."),
        errors=described(
            array_of(_FAULT),
            "Every fault: `pointer` is a JSON pointer into the body, `?name` for a query "
            "parameter, or the name of a header.",
        ),
        invocation=component_ref("Invocation"),
    ),
    "Status": {
        "description": "The status of an invocation. `succeeded`, `failed`, `cancelled` and "
        "`expired` are final.",
        "type": "string",
        "enum": [status.value for status in Status],
    },
    "InvocationError": component(
        "Why an invocation or an attempt failed.",
        ["type", "message"],
        type=choice(ERROR_TYPES, "The kind of error."),
        message=described(TEXT, "The error message."),
        traceback=described(MAYBE_TEXT, "The Python traceback, if there is one."),
        exception_type=described(MAYBE_TEXT, "The class of the exception."),
        errors=described(
            array_of(_FAULT),
            "For `arguments_invalid`: every wrong argument, with a JSON pointer into the "
            "arguments.",
        ),
    ),
    "Callback": component(
        "The state of a callback.",
        url=described(_URI, "The URL that the callback is sent to."),
        status=described(TEXT, "The status of the delivery."),
        attempts=described(COUNT, "How many times sending was attempted."),
        delivery=described(
            MAYBE_TEXT, "The id of the delivery; null until there is something to send."
        ),
    ),
    "InvocationRequest": component(
        "The HTTP request of a call. The values of headers and query parameters "
        "whose names suggest a secret are shown as `***`; the function received the real values.",
        ["method", "path", "query", "headers", "body", "body_encoding", "body_bytes"],
        method=described(TEXT, "The HTTP method."),
        path=described(TEXT, "What follows the function's name in the path; `/` if nothing does."),
        query={
            "type": "object",
            "additionalProperties": {"anyOf": [TEXT, array_of(TEXT)]},
            "description": "The query parameters; a repeated one has a list of values.",
        },
        headers={
            "type": "object",
            "additionalProperties": TEXT,
            "description": "The headers that were passed to the function.",
        },
        body=described(
            MAYBE_TEXT,
            "The body; null if it is empty, or if it is not shown and `body_omitted` is true.",
        ),
        body_encoding={
            "type": ["string", "null"],
            "enum": ["text", "base64", None],
            "description": "How `body` is encoded; null if `body` is null.",
        },
        body_bytes=described(COUNT, "The size of the body in bytes."),
        body_omitted=flag("True if the body is too long to be shown, or holds secrets."),
    ),
    "Invocation": component(
        "One call of a function, from acceptance to its final status. In lists, "
        "events and callbacks, a field that is too long is null (`attempts`: empty), and "
        "`<field>_omitted` is true.",
        id={"type": "string", "format": "uuid", "description": "Its id, a UUIDv7."},
        function=described(TEXT, "The name of the function."),
        version=described(TEXT, "The version of the function."),
        status=component_ref("Status"),
        attempt=described(COUNT, "How many attempts have started."),
        attempts=described(
            array_of(_ATTEMPT),
            "The first five attempts, the last twenty before the current one, and the "
            "current one. Only the last ones have tracebacks.",
        ),
        arguments=described(_MAYBE_ANY_OBJECT, "The arguments, with secrets masked."),
        request=described(
            maybe(component_ref("InvocationRequest")),
            "The HTTP request, for a function that reads it.",
        ),
        result={
            "description": "The result as JSON, or as base64 text if the function returns "
            "bytes; null until it succeeds."
        },
        error=described(_MAYBE_ERROR, "The last error; null if there was none."),
        progress=described(_MAYBE_ANY_OBJECT, "The progress that was reported last."),
        tags=described(array_of(TEXT), "The labels of the call."),
        queue=described(TEXT, "The queue that it waits in."),
        created_at=described(MOMENT, "When it was accepted."),
        scheduled_for=described(MAYBE_MOMENT, "The earliest start, if it was delayed."),
        started_at=described(MAYBE_MOMENT, "When its current attempt started."),
        finished_at=described(MAYBE_MOMENT, "When it reached its final status."),
        queued_ms=described(MAYBE_COUNT, "Milliseconds it waited after it was due."),
        duration_ms=described(MAYBE_COUNT, "Milliseconds that its last attempt took."),
        worker=described(MAYBE_TEXT, "The id of the worker of the current attempt."),
        retry_of=described(MAYBE_TEXT, "The invocation that this one retries."),
        retried_by=described(MAYBE_TEXT, "The invocation that retries this one."),
        batch=described(MAYBE_TEXT, "The id of its batch."),
        caller=described(
            MAYBE_TEXT,
            "The name of the API key that made the call, or `webhook:` and the scheme of its "
            "signature.",
        ),
        callback=described(maybe(component_ref("Callback")), "Its callback, if any."),
        links=LINKS,
    ),
    "Function": component(
        "A published function.",
        name=described(TEXT, "The name, which is the last part of its path."),
        version=described(MAYBE_TEXT, "The version that serves; null if none does."),
        summary=described(TEXT, "What it does, in one line."),
        description=described(TEXT, "What it does, at length."),
        parameters=described(ANY_OBJECT, "JSON Schema of the arguments."),
        returns=described(ANY_OBJECT, "JSON Schema of the result."),
        options=described(ANY_OBJECT, "The options of its @function decorator."),
        queue=described(TEXT, "The queue of its invocations."),
        window=described(
            COUNT,
            "How many of its attempts one runner process may run at the same time: its "
            "option `per_process`, or the default for its kind.",
        ),
        takes_request=flag("Whether it takes the HTTP request itself."),
        methods=described(
            array_of(choice(METHODS, "An HTTP method.")),
            "The methods that its raw path (`links.raw`) takes; HEAD comes with GET.",
        ),
        verification=described(
            maybe(component_ref("Verification")),
            "How its webhooks are verified; null if it verifies none.",
        ),
        state=choice(
            ["serving", "loading", "unavailable"],
            "`serving`: a version accepts calls; if it is not the one on "
            "disk, `error` says why. `loading`: the file was found but no version serves "
            "yet; calls wait a moment. `unavailable`: no version has loaded; `error` says "
            "why.",
        ),
        error=described(
            {"anyOf": [{"type": "null"}, _FILE_ERROR]},
            "Why the file on disk failed to load; null if it loaded.",
        ),
        environment=described(
            component_ref("FunctionEnvironment"), "Where it runs, and what becomes of that."
        ),
        dependencies={
            "type": "array",
            "items": component_ref("Package"),
            "description": "The packages that are installed for it.",
        },
        stats={
            "type": "object",
            "additionalProperties": COUNT,
            "description": "How many invocations wait, and how many had each outcome.",
        },
        links=LINKS,
    ),
    "Verification": component(
        "How the webhooks of a function are verified (its option `verify`).",
        scheme=choice(SCHEME_NAMES, "How the sender signs."),
        secret=described(TEXT, "The name of the secret, which is `PENSTOCK_SECRET_<name>`."),
        is_set=flag("Whether the gateway that answers has the secret."),
    ),
    "FunctionEnvironment": component(
        "The environment in which a function runs: an interpreter and its packages.",
        state=choice(
            ["none", "resolving", "building", "ready", "failed"],
            "`none`: it runs in Penstock's own environment. `resolving` and `building`: its "
            "newest file waits for its packages. `failed`: `message` says why.",
        ),
        key=described(MAYBE_TEXT, "The name of the environment; null before it is there."),
        python=described(MAYBE_TEXT, "The version of its interpreter."),
        packages=described(COUNT, "How many packages are installed."),
        bytes=described(COUNT, "How many bytes of the disk it takes."),
        built_at=described(MAYBE_MOMENT, "When it was complete."),
        seconds=described(
            {"type": "number", "minimum": 0}, "How long the build took, or has taken so far."
        ),
        message=described(MAYBE_TEXT, "Why it failed, in the resolver's words."),
    ),
    "Package": component(
        "An installed package.",
        name=described(TEXT, "Its name."),
        version=described(TEXT, "Its version."),
    ),
    "FunctionList": list_of(component_ref("Function")),
    "Delivery": component(
        "The delivery of one callback, with every attempt.",
        id=described(TEXT, "The id of the delivery."),
        invocation=described(MAYBE_TEXT, "The invocation, if it is not of a batch."),
        batch=described(MAYBE_TEXT, "The batch, if it is the callback of a batch."),
        url=described(_URI, "The URL that the callback is sent to."),
        status=choice(
            ["pending", "delivered", "failed", "stopped"], "`stopped`: the receiver answered 410."
        ),
        attempts=described(array_of(_DELIVERY_ATTEMPT), "The attempts, oldest first."),
        next_at=described(MAYBE_MOMENT, "When the next attempt is due; null if none."),
        webhook_id=described(TEXT, "The `webhook-id` header of every attempt."),
        links=LINKS,
    ),
    "DeliveryList": list_of(component_ref("Delivery")),
}
