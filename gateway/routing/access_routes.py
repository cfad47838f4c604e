"""The part of the route table for API keys and browser sessions."""

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
                summary="List API keys, oldest first, without their secrets",
                scope="admin",
                problems=_STORE,
            ),
            Operation(
                method="POST",
                id="create_key",
                summary="Create an API key and show its text once",
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
        "Revoke an API key on every gateway at once",
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
                summary="Get the caller's identity and permissions",
                scope="any",
                problems=_STORE,
            ),
            Operation(
                method="POST",
                id="log_in",
                summary="Log in with an API key and get a session cookie",
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
