"""The part of the route table for schedules."""

from __future__ import annotations

from gateway.routing.operation import Operation, Route
from gateway.routing.parameters import CURSOR, LIMIT

_STORE = ("store_unavailable",)
_QUERY = ("parameter_invalid",)  # these operations refuse every query parameter
_WRITES = (*_QUERY, *_STORE, "store_refused")
_BODY = ("invalid_json", "unsupported_media_type", "body_too_large", "schedule_invalid")

SCHEDULE_ROUTES: tuple[Route, ...] = (
    Route(
        path="/schedules",
        resource="schedules",
        tag="schedules",
        operations=(
            Operation(
                method="GET",
                id="list_schedules",
                summary="List schedules by id",
                scope="read",
                query=(LIMIT, CURSOR),
                problems=_STORE,
            ),
            Operation(
                method="POST",
                id="create_schedule",
                summary="Create a schedule that invokes a function by a cron line",
                scope="operate",
                body="call",
                problems=(*_BODY, "function_not_found", "function_unavailable", *_WRITES),
            ),
        ),
    ),
    Route(
        path="/schedules/{schedule_id}",
        resource="schedule",
        tag="schedules",
        operations=(
            Operation(
                method="GET",
                id="get_schedule",
                summary="Get a schedule with its next five firing times",
                scope="read",
                problems=("schedule_not_found", *_QUERY, *_STORE),
            ),
            Operation(
                method="PATCH",
                id="change_schedule",
                summary="Pause, resume or change a schedule",
                scope="operate",
                body="call",
                problems=(
                    *_BODY,
                    "schedule_not_found",
                    "schedule_declared",
                    "function_not_found",
                    "function_unavailable",
                    *_WRITES,
                ),
            ),
            Operation(
                method="DELETE",
                id="delete_schedule",
                summary="Delete a schedule",
                scope="operate",
                problems=("schedule_not_found", "schedule_declared", *_WRITES),
            ),
        ),
    ),
    Route(
        path="/schedules/{schedule_id}/fire",
        resource="schedule_firing",
        tag="schedules",
        operations=(
            Operation(
                method="POST",
                id="fire_schedule",
                summary="Fire a schedule now, even if it is paused",
                scope="operate",
                problems=(
                    "schedule_not_found",
                    "function_not_found",
                    "queue_full",
                    "function_unavailable",
                    *_WRITES,
                ),
            ),
        ),
    ),
)
