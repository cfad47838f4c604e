"""What the document tells in words only, so that generated requests keep to it.

Loaded by the schemathesis command line. Where a text has the right form, but what it says is
out of bounds, contradicts another or names what is not there, a good one takes its place.
"""

from __future__ import annotations

import re
from typing import Any

import schemathesis

from gateway.routing.parameters import CURSOR
from runtime.sdk.durations import PATTERN
from runtime.sdk.option_parsing import RATE_PATTERN

_RECEIVER = "http://127.0.0.1:9/"  # nobody listens there, and it need not be looked up
_BULK = {"/invocations/retry": "failed", "/invocations/cancel": "queued"}
_CRON, _TIME_ZONE = "0 9 * * mon-fri", "Europe/Berlin"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Put right what is right in form only."""
    del context, kwargs
    _mend_query(case.query)
    _mend_headers(case.headers)
    _mend_body(case.body)
    if case.operation.path == "/functions/{name}/batch" and isinstance(case.body, list):
        case.path_parameters["name"] = "steps"
        case.body = [{"most": 2} if isinstance(item, dict) else item for item in case.body]
    if case.operation.path == "/functions/{name}":
        _mend_call(case)
    usual = _BULK.get(case.operation.path)
    if usual and not {"function", "status"} & {*case.query}:
        case.query["status"] = usual


def _mend_call(case: Any) -> None:
    """Call one that is there: `steps` with JSON, `measure` with bytes or a form."""
    takes_json = case.media_type in (None, "application/json")
    case.path_parameters["name"] = "steps" if takes_json else "measure"
    if isinstance(case.body, dict):
        case.body = {"most": 2} if takes_json else {"data": "some"}


def _mend_query(query: Any) -> None:
    """Give one of `delay` and `run_at`, times in bounds, printable labels, and what there is."""
    if not query:
        return
    if "delay" in query:
        query.pop("run_at", None)
    for name in ("delay", "max_age"):
        if _fits(PATTERN, query.get(name)):
            query[name] = "50ms" if name == "delay" else "2m"
    for name in ("key", "tag"):
        if any(not text.isprintable() for text in _texts(query.get(name))):
            query[name] = "label"
    if 0 < len(str(query.get("cursor", ""))) <= (CURSOR.longest or 0):
        query.pop("cursor", None)  # none is `next` of an answer; test_texts.py tries those
    if str(query.get("attempt", "")).isdigit() and int(query["attempt"]) > 0:
        query["attempt"] = 1  # there is no other


def _mend_headers(headers: Any) -> None:
    """Have callbacks go nowhere, nobody wait for long, and no two calls under one key."""
    if not headers:
        return
    if str(headers.get("X-Callback-Url", "")).startswith("http"):
        headers["X-Callback-Url"] = _RECEIVER
    if "wait" in str(headers.get("Prefer", "")):
        headers["Prefer"] = "wait=1"
    headers.pop("Idempotency-Key", None)


def _mend_body(body: Any) -> None:
    """Have schedules and keys that can be, and nothing at rest."""
    if not isinstance(body, dict):
        return
    if body.get("paused") is True:  # or all calls would wait for it
        body["paused"] = False
    if isinstance(body.get("cron"), str):
        body["cron"] = _CRON
        if isinstance(body.get("function"), str) and isinstance(body.get("arguments", {}), dict):
            body |= {"function": "steps", "arguments": {"most": 1}}
    if isinstance(body.get("timezone"), str):
        body["timezone"] = _TIME_ZONE
    if _fits(PATTERN, body.get("expires_in")):
        body["expires_in"] = "90d"
    if _fits(RATE_PATTERN, body.get("rate")):
        body["rate"] = "100/m"


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _fits(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.search(pattern, value) is not None
