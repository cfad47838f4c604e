"""The query parameters that routes share, as the route table and the document show them.

How those of an invocation are read is in `gateway.parsing.call_options`, those of lists in
`gateway.parsing.pagination`.
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
    name="delay",
    description=f"Wait so long before it may start: {EXAMPLES}.",
    longest=32,
    pattern=PATTERN,
)
RUN_AT = QueryParameter(
    name="run_at",
    description="Wait until this moment, with its offset; one in the past is now. Not together "
    "with `delay`.",
    form="date-time",
)
PRIORITY = QueryParameter(
    name="priority",
    description="0 to 9, higher first; the function's own priority if not given.",
    minimum=0,
    maximum=HIGHEST_PRIORITY,
)
KEY = QueryParameter(
    name="key",
    description="Fairness key: within the function, keys take turns.",
    longest=LONGEST_KEY,
)
MAX_AGE = QueryParameter(
    name="max_age",
    description="Expire when it has not started so long after it was due; the function's own "
    f"if not given. {EXAMPLES.capitalize()}.",
    longest=32,
    pattern=PATTERN,
)
TAG = QueryParameter(
    name="tag", description="A label to find it by.", longest=LONGEST_TAG, most=MOST_TAGS
)
CALL_OPTION_PARAMETERS = (DELAY, RUN_AT, PRIORITY, KEY, MAX_AGE, TAG)

OF_FUNCTION = QueryParameter(
    name="function", description="Only of this function.", longest=128, pattern=NAME_PATTERN
)
_STATUSES = "Repeat it, or part several by commas."
OF_STATUS = QueryParameter(
    name="status",
    description=f"Only with one of these statuses. {_STATUSES}",
    choices=tuple(status.value for status in Status),
    most=len(Status),
)
OF_ENDING = QueryParameter(
    name="status",
    description=f"Those that ended so; `failed` if not given. {_STATUSES}",
    choices=tuple(status.value for status in Status if status in FINISHED),
    most=len(FINISHED),
)
OF_UNFINISHED = QueryParameter(
    name="status",
    description=f"Those that stand so; all that have not ended if not given. {_STATUSES}",
    choices=tuple(status.value for status in Status if status not in FINISHED),
    most=len(Status) - len(FINISHED),
)
OF_TAG = QueryParameter(name="tag", description="Only with this tag.", longest=LONGEST_TAG)
LIMIT = QueryParameter(
    name="limit",
    description=f"Most items in one answer; {USUAL_PAGE} if not given.",
    minimum=1,
    maximum=LONGEST_PAGE,
)
RETRY_LIMIT = QueryParameter(
    name="limit",
    description=f"Most invocations to retry now; {MOST_RETRIED} if not given.",
    minimum=1,
    maximum=MOST_RETRIED,
)
CANCEL_LIMIT = QueryParameter(
    name="limit",
    description=f"Most invocations to cancel now; {MOST_CANCELLED} if not given.",
    minimum=1,
    maximum=MOST_CANCELLED,
)
CURSOR = QueryParameter(name="cursor", description="`next` of the answer before.", longest=512)
SINCE = QueryParameter(
    name="since",
    description="Only those accepted at this moment, given with its offset, or later.",
    form="date-time",
)
BEFORE = QueryParameter(
    name="before",
    description="Only those accepted before this moment, given with its offset.",
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
    name="withdraw_missing",
    description="Withdraw what is published and not in that folder; `false` if not given.",
    choices=("true", "false"),
)

LAST_EVENT_ID = QueryParameter(
    name="last_event_id",
    description="Only events after the one of this id; the header Last-Event-ID wins.",
    longest=64,
)

ATTEMPT = QueryParameter(
    name="attempt",
    description="Only what this attempt printed and logged.",
    minimum=1,
    maximum=10**9,
)

DELIVERY_STATUS = QueryParameter(
    name="status",
    description="Only deliveries of this status.",
    choices=("pending", "delivered", "failed", "stopped"),
)
DELIVERY_LIMIT = QueryParameter(
    name="limit", description="Most items in one answer.", minimum=1, maximum=200
)
