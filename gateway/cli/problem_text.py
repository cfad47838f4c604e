"""A problem that the system answered, as a sentence for people that names the next step."""

from __future__ import annotations

import json

_NEXT_STEPS = {
    "function_not_found": "`penstock ls` lists those there are",
    "function_unavailable": "`penstock ls` shows why",
    "invocation_not_found": "`penstock invocations` lists those there are",
    "invocation_finished": "`penstock retry` makes it again",
    "invocation_unfinished": "`penstock logs -f` follows it to its end",
    "invocation_gone": "results are kept as long as the function's result_ttl says",
    "delivery_not_found": "`penstock deliveries` lists those there are",
    "worker_not_found": "`penstock status` lists those there are",
    "queue_not_found": "`penstock queues` lists those there are",
    "unauthenticated": "PENSTOCK_KEY names the key that commands show",
    "forbidden": "PENSTOCK_KEY names the key that commands show",
    "key_not_found": "`penstock keys` lists those there are",
    "queue_full": "`penstock queues` shows how full; come again later",
    "idempotency_key_reused": "choose another key, or send what was sent with it before",
}


def describe_problem(status: int, body: bytes) -> str:
    """Return a problem in a sentence, with every wrong argument and what to do next."""
    try:
        problem = json.loads(body)
        errors = problem.get("errors", [])
        said = problem.get("title") if errors else problem.get("detail") or problem.get("title")
        faults = [f"\n  {one.get('pointer') or '/'}: {one['detail']}" for one in errors]
        code = problem.get("code", status)
    except (ValueError, AttributeError, KeyError, TypeError):
        return f"the system answered with HTTP status {status}"
    step = _NEXT_STEPS.get(code)
    return f"{said} ({code})" + (f"; {step}" if step else "") + "".join(faults)
