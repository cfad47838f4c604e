"""The invocation that ended well at its first attempt, as JSON, without building it anew each time.

What `gateway.newborn` is for births: of most ends only the id, the moments, the worker, the
arguments and the result differ from the one before. The shape comes from
`runtime.invocations.view` itself, so the two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import msgspec

from gateway.newborn import Clock
from runtime.invocations.record import Record
from runtime.invocations.statuses import Status
from runtime.invocations.view import invocation_json, moment
from runtime.store.invocation_calls import parse_notice

_MOST_SHAPES = 4096
_MOST_LAYOUTS = 256
_KIND = (b"function", b"version", b"queue")
_SHOWN = (b"created_at", b"started_at", b"finished_at", b"worker", b"result")
# An end with any other field is not usual; but for the caller, what is not needed does not show.
_NEEDED = frozenset({b"status", b"attempt", *_KIND, *_SHOWN})
_USUAL = _NEEDED | {
    *(b"token", b"waiters", b"caller", b"priority", b"key"),
    *(b"traceparent", b"tracestate"),
}
_SUCCEEDED = (b"succeeded", b"1")
_CREATED_MS, _STARTED_MS, _FINISHED_MS = 1_000, 3_000, 7_000
_FILLED_WITH = (
    b"@penstock-id@",
    b'"@penstock-arguments@"',
    b'"@penstock-result@"',
    b'"@penstock-worker@"',
    *(
        b'"%b"' % (moment(at_ms) or "").encode()
        for at_ms in (_CREATED_MS, _STARTED_MS, _FINISHED_MS)
    ),
    b'"queued_ms":%d' % (_STARTED_MS - _CREATED_MS),
    b'"duration_ms":%d' % (_FINISHED_MS - _STARTED_MS),
)
_HOLES = re.compile(b"|".join(map(re.escape, _FILLED_WITH)))
_Kind = tuple[bytes, ...]  # function, version, queue and, if a key was shown, the caller


class _Layout:
    """Where the values are in a notice: its fields come in the order in which they were written."""

    def __init__(self, names: tuple[bytes, ...]) -> None:
        def places(*wanted: bytes) -> Callable[[list[bytes]], Any]:
            return itemgetter(*map(names.index, wanted))

        self.kind = places(*_KIND, *((b"caller",) if b"caller" in names else ()))
        self.shown = places(*_SHOWN)
        self.how_it_ended = places(b"status", b"attempt")


class _Shape:
    """All invocations of one function, version, queue and caller that ended so."""

    def __init__(self, kind: _Kind) -> None:
        function, version, queue, *caller = (word.decode() for word in kind)
        sample = Record(
            id="@penstock-id@",
            function=function,
            version=version,
            queue=queue,
            caller=caller[0] if caller else None,
            status=Status.SUCCEEDED,
            attempt=1,
            arguments=b'"@penstock-arguments@"',
            result=b'"@penstock-result@"',
            worker="@penstock-worker@",
            created_at_ms=_CREATED_MS,
            started_at_ms=_STARTED_MS,
            finished_at_ms=_FINISHED_MS,
        )
        written = invocation_json(sample).replace(b"%", b"%%")
        self._template = _HOLES.sub(b"%b", written)
        self._pick = itemgetter(*map(_FILLED_WITH.index, _HOLES.findall(written)))

    def fill(self, parts: tuple[bytes, ...]) -> bytes:
        written: bytes = self._template % self._pick(parts)
        return written


class EndedWriter:
    """Writes invocations from the notices of their ends."""

    def __init__(self) -> None:
        self._shapes: dict[_Kind, _Shape] = {}
        self._layouts: dict[tuple[bytes, ...], _Layout | None] = {}
        self._clock = Clock()

    def write(self, notice: bytes, arguments: bytes) -> bytes | None:
        """Return what `invocation_json(record_from_notice(…))` does, None if it is not usual.

        Raises:
            StoreError: This is no notice.
        """
        invocation_id, flat = parse_notice(notice)
        names = tuple(flat[::2])
        try:
            layout = self._layouts[names]
        except KeyError:
            layout = self._note_layout(names)
        if layout is None:
            return None
        values = flat[1::2]
        if layout.how_it_ended(values) != _SUCCEEDED:
            return None
        created_at, started_at, finished_at, worker, result = layout.shown(values)
        created_at_ms, started_at_ms = int(created_at), int(started_at)
        finished_at_ms = int(finished_at)
        moment_of = self._clock.write
        return self._shape(layout.kind(values)).fill(
            (
                invocation_id.encode(),
                arguments,
                result,
                msgspec.json.encode(worker.decode()),
                moment_of(created_at_ms),
                moment_of(started_at_ms),
                moment_of(finished_at_ms),
                b'"queued_ms":%d' % max(0, started_at_ms - created_at_ms),
                b'"duration_ms":%d' % max(0, finished_at_ms - started_at_ms),
            )
        )

    def _note_layout(self, names: tuple[bytes, ...]) -> _Layout | None:
        if len(self._layouts) >= _MOST_LAYOUTS:
            self._layouts.clear()
        is_usual = _USUAL.issuperset(names) and set(names).issuperset(_NEEDED)
        layout = self._layouts[names] = _Layout(names) if is_usual else None
        return layout

    def _shape(self, kind: _Kind) -> _Shape:
        shape = self._shapes.get(kind)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[kind] = _Shape(kind)
        return shape
