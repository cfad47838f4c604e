"""/schedules: create, list, change, pause, delete and fire schedules."""

from __future__ import annotations

from typing import Any

import msgspec
from falcon.asgi import Request, Response

from gateway.auth.webhook_callers import require_key
from gateway.live.manifest_cache import ManifestCache
from gateway.parsing.pagination import read_paging
from gateway.parsing.preferences import read_query, refuse_parameters
from gateway.parsing.schedule_body import check_fits, read_new_schedule, read_schedule_change
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from gateway.resources.keys import require_json
from gateway.serving.request_parser import BODY
from runtime.errors import ArgumentFault
from runtime.invocations.ids import new_invocation_id
from runtime.invocations.record import Record
from runtime.invocations.status import Status
from runtime.invocations.submission import check_available
from runtime.invocations.view import invocation_json, moment
from runtime.registry.manifest import Manifest
from runtime.registry.secret_masking import encode_paths, mask
from runtime.schedules.cron import read_cron
from runtime.schedules.due import tag_of, target_of
from runtime.store import schedule_commands
from runtime.store.async_connection import AsyncConnection
from runtime.store.schedule_commands import Schedule, SchedulePage

_JSON = "application/json"
_SHOWN_MOMENTS = 5
_ASK_AGAIN_S = "1"
_ID_PREFIX = "sch-"  # function names have no hyphen, so no declared schedule has such an id


class _Schedules:
    """What the resources of schedules have in common."""

    def __init__(self, store: AsyncConnection, manifest_cache: ManifestCache) -> None:
        self._store = store
        self._manifest_cache = manifest_cache

    async def _show(self, resp: Response, schedule_id: str) -> None:
        schedule, now_ms = await _find(self._store, schedule_id)
        answer_json(resp, _view(schedule, now_ms, self._manifest_cache))


class ScheduleList(_Schedules):
    """GET and POST /schedules."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """List a page of schedules, by id."""
        faults: list[ArgumentFault] = []
        query = read_query(req.query_string, ("limit", "cursor"))
        paging = read_paging(req.path, query, faults)
        refuse_parameters(faults)
        listing = schedule_commands.list_schedules(after="".join(paging.after), most=paging.limit)
        page = await self._store.run(listing)
        items = [_view(schedule, page.now_ms, self._manifest_cache) for schedule in page.schedules]
        cursor = paging.point_on(resp, None if page.next is None else (page.next,))
        answer_json(resp, {"items": items, "next": cursor})

    async def on_post(self, req: Request, resp: Response) -> None:
        """Create a schedule, after checking that its function accepts the arguments."""
        definition = read_new_schedule(_read_body(req))
        manifest = await self._manifest_cache.find(definition.function)
        _require_key(req, manifest)
        check_available(manifest)
        check_fits(manifest, definition.arguments or {})
        schedule_id = _ID_PREFIX + new_invocation_id()
        fields = {**definition.fields, "secrets": encode_paths(manifest.secrets)}
        await self._store.run(schedule_commands.create_schedule(schedule_id, fields))
        await self._show(resp, schedule_id)
        resp.status = 201
        resp.set_header("Location", f"/schedules/{schedule_id}")


class OneSchedule(_Schedules):
    """GET, PATCH and DELETE /schedules/{id}."""

    async def on_get(self, req: Request, resp: Response, schedule_id: str) -> None:
        """Show a schedule."""
        read_query(req.query_string, ())
        await self._show(resp, schedule_id)

    async def on_patch(self, req: Request, resp: Response, schedule_id: str) -> None:
        """Pause, resume or change a schedule; a declared one can only be paused and resumed."""
        change = read_schedule_change(_read_body(req))
        schedule, _ = await _find(self._store, schedule_id)
        if schedule.source == "decorator" and set(change.fields) != {"paused"}:
            raise await self._declared(schedule, "only paused, resumed and fired")
        fields = dict(change.fields)
        if change.arguments is not None:
            manifest = await self._manifest_cache.find(schedule.function)
            _require_key(req, manifest)
            check_available(manifest)
            check_fits(manifest, change.arguments)
            fields["secrets"] = encode_paths(manifest.secrets)
        changed = await self._store.run(schedule_commands.change_schedule(schedule.id, fields))
        if changed == "DECLARED":
            raise await self._declared(schedule, "only paused, resumed and fired")
        await self._show(resp, schedule.id)

    async def on_delete(self, req: Request, resp: Response, schedule_id: str) -> None:
        """Delete a schedule; one that its function declares cannot be deleted."""
        read_query(req.query_string, ())
        schedule, _ = await _find(self._store, schedule_id)
        if await self._store.run(schedule_commands.delete_schedule(schedule.id)) == "DECLARED":
            raise await self._declared(schedule, "paused, but not deleted")
        resp.status = 204

    async def _declared(self, schedule: Schedule, may: str) -> ProblemError:
        manifest = self._manifest_cache.manifests.get(schedule.function)
        place = f" in {manifest.file}" if manifest else ""
        return ProblemError(
            "schedule_declared",
            f"{schedule.function} declares this schedule{place}; over HTTP it can be {may}. "
            "Change or remove `schedule=` in its @function decorator instead.",
        )


class ScheduleFiring:
    """POST /schedules/{id}/fire."""

    def __init__(
        self, store: AsyncConnection, manifest_cache: ManifestCache, *, max_waiting: int
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._max_waiting = max_waiting

    async def on_post(self, req: Request, resp: Response, schedule_id: str) -> None:
        """Invoke the schedule's function now, even if it is paused or its last run goes on."""
        read_query(req.query_string, ())
        schedule, _ = await _find(self._store, schedule_id)
        manifest = await self._manifest_cache.find(schedule.function)
        _require_key(req, manifest)
        shape = target_of(manifest, max_waiting=self._max_waiting)
        invocation_id = new_invocation_id()
        fired = await self._store.run(
            schedule_commands.fire_schedule(schedule.id, invocation_id=invocation_id, shape=shape)
        )
        if fired.reception == "MISSING":
            raise _unknown(schedule_id)
        if fired.reception == "FULL":
            raise ProblemError(
                "queue_full",
                f"{fired.waiting} invocations of {schedule.function} are waiting already.",
            )
        record = Record(
            id=invocation_id,
            function=schedule.function,
            version=shape.version,
            status=Status.QUEUED,
            queue=shape.queue,
            created_at_ms=fired.created_at_ms,
            arguments=fired.arguments,
            secrets=shape.secrets,
            tags=msgspec.json.encode([tag_of(schedule.id)]),
        )
        resp.status = 202
        resp.set_header("Location", f"/invocations/{invocation_id}")
        resp.set_header("X-Call-Id", invocation_id)
        resp.set_header("Retry-After", _ASK_AGAIN_S)
        resp.content_type = _JSON
        resp.data = invocation_json(record)


def schedule_view(schedule: Schedule, now_ms: int, *, secrets: bytes = b"") -> dict[str, Any]:
    """Return a schedule as callers see it; a paused one has no `next` times.

    Args:
        schedule: What to show.
        now_ms: The time by Redis's clock.
        secrets: Where the function's arguments have secrets now. Those that the schedule was
            stored with are masked, too.
    """
    here = f"/schedules/{schedule.id}"
    last = schedule.last_invocation
    skips = [{"at": moment(at), "reason": reason} for at, reason in schedule.skips]
    links = {"self": here, "fire": f"{here}/fire", "function": f"/functions/{schedule.function}"}
    return {
        "id": schedule.id,
        "function": schedule.function,
        "arguments": msgspec.Raw(mask(mask(schedule.arguments, schedule.secrets), secrets)),
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "paused": schedule.is_paused,
        "overlap": schedule.overlap,
        "catch_up": schedule.catch_up,
        "next": _next_moments(schedule, now_ms),
        "last_invocation": last,
        "source": schedule.source,
        "created_at": moment(schedule.created_at_ms),
        "fired": schedule.fired,
        "skipped": schedule.skipped,
        "last_skipped": skips[0]["at"] if skips else None,
        "skips": skips,
        "links": {**links, **({"last_invocation": f"/invocations/{last}"} if last else {})},
    }


def _next_moments(schedule: Schedule, now_ms: int) -> list[str | None]:
    if schedule.is_paused:
        return []
    try:
        cron = read_cron(schedule.cron, schedule.timezone)
    except ValueError:  # created by a process that knows more time zones
        return []
    return [moment(at) for at in cron.next_few(now_ms, _SHOWN_MOMENTS)]


async def _find(store: AsyncConnection, schedule_id: str) -> tuple[Schedule, int]:
    page: SchedulePage = await store.run(schedule_commands.read_schedule(schedule_id))
    if not page.schedules:
        raise _unknown(schedule_id)
    return page.schedules[0], page.now_ms


def _view(schedule: Schedule, now_ms: int, manifest_cache: ManifestCache) -> dict[str, Any]:
    manifest = manifest_cache.manifests.get(schedule.function)
    secrets = encode_paths(manifest.secrets) if manifest is not None else b""
    return schedule_view(schedule, now_ms, secrets=secrets)


def _unknown(schedule_id: str) -> ProblemError:
    return ProblemError("schedule_not_found", f"No schedule has the id {schedule_id[:64]!r}.")


def _require_key(req: Request, manifest: Manifest) -> None:
    """Refuse to make a function that verifies webhooks run for a caller without a key."""
    if manifest.options.verify is not None:
        require_key(req.scope, f"{manifest.name} verifies webhooks: call it with a signature")


def _read_body(req: Request) -> bytes:
    read_query(req.query_string, ())
    require_json(req)
    body: bytes = req.scope[BODY]
    return body
