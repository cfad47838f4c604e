"""The part of the route table for schedules."""

from __future__ import annotations

from gateway.routing.operation import Route
from gateway.routing.parameters import CURSOR, LIMIT
from gateway.routing.problem_codes import BODY, READS, WRITES

_QUERY = ("parameter_invalid",)  # these operations refuse every query parameter
_CHANGES = (*_QUERY, *WRITES)
_BODY = (*BODY, "schedule_invalid")
_UNCALLABLE = ("function_not_found", "function_unavailable")

SCHEDULE_ROUTES: tuple[Route, ...] = (
    Route("/schedules", "schedules", "schedules")
    .get("list_schedules", "List schedules by id", query=(LIMIT, CURSOR), problems=READS)
    .act(
        "POST",
        "create_schedule",
        "Create a schedule that invokes a function by a cron line",
        body="call",
        problems=(*_BODY, *_UNCALLABLE, *_CHANGES),
    ),
    Route("/schedules/{schedule_id}", "schedule", "schedules")
    .get(
        "get_schedule",
        "Get a schedule with its next five firing times",
        problems=("schedule_not_found", *_QUERY, *READS),
    )
    .act(
        "PATCH",
        "change_schedule",
        "Pause, resume or change a schedule",
        body="call",
        problems=(*_BODY, "schedule_not_found", "schedule_declared", *_UNCALLABLE, *_CHANGES),
    )
    .act(
        "DELETE",
        "delete_schedule",
        "Delete a schedule",
        problems=("schedule_not_found", "schedule_declared", *_CHANGES),
    ),
    Route("/schedules/{schedule_id}/fire", "schedule_firing", "schedules").act(
        "POST",
        "fire_schedule",
        "Fire a schedule now, even if it is paused",
        problems=("schedule_not_found", "queue_full", *_UNCALLABLE, *_CHANGES),
    ),
)
