"""The query parameters that several routes share, as the router and the OpenAPI document use them.

`gateway.parsing.call_options` reads the parameters of an invocation,
`gateway.parsing.pagination` those of lists.
"""

from __future__ import annotations

from gateway.routing.operation import QueryParameter
from runtime.invocations.status import FINISHED, Status
from runtime.sdk.durations import EXAMPLES, PATTERN
from runtime.sdk.option_parsing import NAME_PATTERN

HIGHEST_PRIORITY = 9
LONGEST_DELAY_DAYS = 36_500
LONGEST_MAX_AGE_DAYS = 366
LONGEST_KEY = 128
LONGEST_TAG = 64
MOST_TAGS = 16
LONGEST_PAGE = 100
USUAL_PAGE = 20
MOST_RETRIED = 1_000
MOST_CANCELLED = 1_000

DELAY = QueryParameter(
    "delay",
    f"Time to wait before the invocation may start: {EXAMPLES}.",
    longest=32,
    pattern=PATTERN,
)
RUN_AT = QueryParameter(
    "run_at",
    "Earliest start, as an RFC 3339 time with an offset. A time in the past means now. "
    "Cannot be combined with `delay`.",
    form="date-time",
)
PRIORITY = QueryParameter(
    "priority",
    "Priority from 0 to 9; higher starts first. Default: the function's own priority.",
    minimum=0,
    maximum=HIGHEST_PRIORITY,
)
KEY = QueryParameter(
    "key", "Fairness key: invocations of one function take turns by key.", longest=LONGEST_KEY
)
MAX_AGE = QueryParameter(
    "max_age",
    "Expire the invocation if it has not started this long after it was due: "
    f"{EXAMPLES}. Default: the function's own limit.",
    longest=32,
    pattern=PATTERN,
)
TAG = QueryParameter("tag", "Label to find the invocation by.", longest=LONGEST_TAG, most=MOST_TAGS)
CALL_OPTION_PARAMETERS = (DELAY, RUN_AT, PRIORITY, KEY, MAX_AGE, TAG)

OF_FUNCTION = QueryParameter("function", "Filter by function.", longest=128, pattern=NAME_PATTERN)
_STATUSES = "Repeat it or separate values with commas to give several."
OF_STATUS = QueryParameter(
    "status",
    f"Filter by status. {_STATUSES}",
    choices=tuple(status.value for status in Status),
    most=len(Status),
)
OF_ENDING = QueryParameter(
    "status",
    f"Filter by final status. Default: `failed`. {_STATUSES}",
    choices=tuple(status.value for status in Status if status in FINISHED),
    most=len(FINISHED),
)
OF_UNFINISHED = QueryParameter(
    "status",
    f"Filter by status. Default: all unfinished invocations. {_STATUSES}",
    choices=tuple(status.value for status in Status if status not in FINISHED),
    most=len(Status) - len(FINISHED),
)
OF_TAG = QueryParameter("tag", "Filter by tag.", longest=LONGEST_TAG)
LIMIT = QueryParameter(
    "limit",
    f"Maximum number of items in the response. Default: {USUAL_PAGE}.",
    minimum=1,
    maximum=LONGEST_PAGE,
)
RETRY_LIMIT = QueryParameter(
    "limit",
    f"Maximum number of invocations to retry. Default: {MOST_RETRIED:,}.",
    minimum=1,
    maximum=MOST_RETRIED,
)
CANCEL_LIMIT = QueryParameter(
    "limit",
    f"Maximum number of invocations to cancel. Default: {MOST_CANCELLED:,}.",
    minimum=1,
    maximum=MOST_CANCELLED,
)
CURSOR = QueryParameter("cursor", "The `next` value of the previous response.", longest=512)
SINCE = QueryParameter(
    "since",
    "Only invocations accepted at or after this RFC 3339 time with an offset.",
    form="date-time",
)
BEFORE = QueryParameter(
    "before",
    "Only invocations accepted before this RFC 3339 time with an offset.",
    form="date-time",
)
HISTORY = (OF_FUNCTION, OF_STATUS, OF_TAG, SINCE, BEFORE, LIMIT, CURSOR)
BATCH_PAGE = (LIMIT, CURSOR)
BATCH_RETRY = (OF_ENDING, RETRY_LIMIT, CURSOR)
BULK_RETRY = (OF_FUNCTION, OF_ENDING, OF_TAG, SINCE, BEFORE, RETRY_LIMIT, CURSOR)
BULK_CANCEL = (OF_FUNCTION, OF_UNFINISHED, OF_TAG, SINCE, BEFORE, CANCEL_LIMIT, CURSOR)
COUNTED_RETRY = (OF_FUNCTION, OF_ENDING, OF_TAG, SINCE, BEFORE)
COUNTED_CANCEL = (OF_FUNCTION, OF_UNFINISHED, OF_TAG, SINCE, BEFORE)

WITHDRAW_MISSING = QueryParameter(
    "withdraw_missing",
    "Also withdraw published functions that are not in the folder. Default: `false`.",
    choices=("true", "false"),
)

LAST_EVENT_ID = QueryParameter(
    "last_event_id",
    "Only events after this event id. The header Last-Event-ID takes precedence.",
    longest=64,
)

ATTEMPT = QueryParameter("attempt", "Only the output of this attempt.", minimum=1, maximum=10**9)

DELIVERY_STATUS = QueryParameter(
    "status", "Filter by delivery status.", choices=("pending", "delivered", "failed", "stopped")
)
DELIVERY_LIMIT = QueryParameter(
    "limit", "Maximum number of items in the response. Default: 50.", minimum=1, maximum=200
)
