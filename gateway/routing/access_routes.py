"""The part of the route table that is about keys, and about the session of a browser."""

from __future__ import annotations

from gateway.routing.operation import Operation, Route, act_route

_STORE = ("store_unavailable",)
_BODY = ("invalid_json", "unsupported_media_type", "body_too_large")

ACCESS_ROUTES: tuple[Route, ...] = (
    Route(
        path="/keys",
        resource="keys",
        tag="access",
        operations=(
            Operation(
                method="GET",
                id="list_keys",
                summary="List API keys, oldest first; never their secrets",
                scope="admin",
                problems=_STORE,
            ),
            Operation(
                method="POST",
                id="create_key",
                summary="Make an API key; its text is in this answer and nowhere else",
                scope="admin",
                problems=(*_BODY, "key_invalid", *_STORE, "store_refused"),
            ),
        ),
    ),
    act_route(
        "DELETE",
        "/keys/{key_id}",
        "key",
        "access",
        "revoke_key",
        "Revoke an API key, everywhere and at once",
        scope="admin",
        problems=("key_not_found", *_STORE),
    ),
    Route(
        path="/session",
        resource="session",
        tag="access",
        operations=(
            Operation(
                method="GET",
                id="get_session",
                summary="Who the caller is, and what he may",
                scope="any",
                problems=_STORE,
            ),
            Operation(
                method="POST",
                id="log_in",
                summary="Show a key once, and get a session's cookie for it",
                scope="open",
                problems=(
                    *_BODY,
                    "unauthenticated",
                    "too_many_failures",
                    "cross_site_refused",
                    "key_invalid",
                    *_STORE,
                    "store_refused",
                ),
            ),
            Operation(
                method="DELETE",
                id="log_out",
                summary="End the session",
                scope="any",
                problems=_STORE,
            ),
        ),
    ),
)
