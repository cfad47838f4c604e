"""The part of the route table for API keys and browser sessions."""

from __future__ import annotations

from gateway.routing.operation import Route
from gateway.routing.problem_codes import BODY, READS, WRITES

ACCESS_ROUTES: tuple[Route, ...] = (
    Route("/keys", "keys", "access")
    .get(
        "list_keys",
        "List API keys, oldest first, without their secrets",
        permission="admin",
        problems=READS,
    )
    .act(
        "POST",
        "create_key",
        "Create an API key and show its text once",
        permission="admin",
        problems=(*BODY, "key_invalid", *WRITES),
    ),
    Route("/keys/{key_id}", "key", "access").act(
        "DELETE",
        "revoke_key",
        "Revoke an API key on every gateway at once",
        permission="admin",
        problems=("key_not_found", *READS),
    ),
    Route("/session", "session", "access")
    .get(
        "get_session", "Get the caller's identity and permissions", permission="any", problems=READS
    )
    .act(
        "POST",
        "log_in",
        "Log in with an API key and get a session cookie",
        permission="open",
        problems=(
            *BODY,
            *("unauthenticated", "too_many_failures", "cross_site_refused", "key_invalid"),
            *WRITES,
        ),
    )
    .act("DELETE", "log_out", "End the session", permission="any", problems=READS),
)
