"""Templates for the usual responses to a call: accepted, or succeeded while the caller waits.

Most invocations differ only in their id, arguments, times, worker and result.
`runtime.invocations.view` renders a sample of each kind once, with markers in those places, and
replacing the markers costs a fraction of rendering. An invocation that shows anything else is
rendered by the view, so only the view defines what an invocation looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from runtime.invocations.record import Record, new_record
from runtime.invocations.status import Status
from runtime.invocations.submission import DEFAULT_OPTIONS, CallOptions, Submission
from runtime.invocations.view import invocation_json, moment
from runtime.store.invocation_commands import parse_notice

_MOST_TEMPLATES = 4096
_MOST_LAYOUTS = 256
_ID = "@penstock-id@"
_ARGUMENTS = b'"@penstock-arguments@"'
_RESULT = b'"@penstock-result@"'
_WORKER = "@penstock-worker@"
_CALLBACK = "@penstock-callback@"
# The times of a sample. No two differences between them are equal, so each marker is unique.
_CREATED_MS, _STARTED_MS, _FINISHED_MS = 1_000, 3_000, 7_000

# The fields of a notice that the response shows.
_KIND = (b"function", b"version", b"queue")
_SHOWN = (b"created_at", b"started_at", b"finished_at", b"worker", b"result")
# A notice with any other field has no template. Of the fields that are not needed, the response
# shows only the caller.
_NEEDED = frozenset({b"status", b"attempt", *_KIND, *_SHOWN})
_USUAL = _NEEDED | {
    *(b"token", b"waiters", b"caller", b"priority", b"key"),
    *(b"traceparent", b"tracestate"),
}
_SUCCEEDED = (b"succeeded", b"1")


class _Template:
    """The text of all invocations of one kind.

    Args:
        sample: One of them.
        markers: The texts in it that stand for the values that differ.
    """

    __slots__ = ("_between", "_pick")

    def __init__(self, sample: Record, markers: Sequence[bytes]) -> None:
        written = invocation_json(sample)
        places = re.compile(b"|".join(map(re.escape, markers)))
        self._between = places.split(written)
        self._pick = itemgetter(*map(markers.index, places.findall(written)))

    def fill(self, parts: tuple[bytes, ...]) -> bytes:
        """Return the text with `parts` in place of the markers, in their order."""
        # Joined, not formatted: joining copies a long part only once.
        pieces = [b""] * (2 * len(self._between) - 1)
        pieces[::2], pieces[1::2] = self._between, self._pick(parts)
        return b"".join(pieces)


class _Moments:
    """Renders times; within one second, only the milliseconds are rendered again."""

    def __init__(self) -> None:
        self._second = -1
        self._text = b""
        self._last = (-1, b"")  # the calls of one script are all accepted at the same time

    def write(self, at_ms: int) -> bytes:
        """Return a time as a JSON string."""
        last_ms, written = self._last
        if at_ms != last_ms:
            written = self._write(at_ms)
            self._last = at_ms, written
        return written

    def _write(self, at_ms: int) -> bytes:
        second, ms = divmod(at_ms, 1000)
        if second != self._second:
            text = moment(second * 1000) or ""
            self._second, self._text = second, text.removesuffix("000Z").encode()
        return b'"%b%03dZ"' % (self._text, ms)


class AcceptedTemplates:
    """Renders invocations right after their submission."""

    def __init__(self) -> None:
        self._templates: dict[tuple[str | bool | None, ...], _Template] = {}
        self._moments = _Moments()

    def write(self, submission: Submission, created_at_ms: int) -> bytes:
        """Return the bytes that `invocation_json(new_record(…))` returns."""
        call_options = submission.call_options
        is_usual = not (submission.retry_of or submission.secrets or submission.request)
        if not is_usual or (call_options is not DEFAULT_OPTIONS and _shows(call_options)):
            return invocation_json(new_record(submission, created_at_ms))
        callback = call_options.callback
        kind = (
            *(submission.function, submission.version, submission.queue, submission.caller),
            callback is not None,
        )
        template = self._templates.get(kind)
        if template is None:
            if len(self._templates) >= _MOST_TEMPLATES:
                self._templates.clear()
            template = self._templates[kind] = _accepted(submission)
        return template.fill(
            (
                submission.id.encode(),
                submission.arguments,
                self._moments.write(created_at_ms),
                b"" if callback is None else msgspec.json.encode(callback),
            )
        )


def _shows(call_options: CallOptions) -> bool:
    """Whether the invocation shows an option other than a callback."""
    return bool(call_options.delay_ms or call_options.run_at_ms or call_options.tags)


def _accepted(like: Submission) -> _Template:
    callback = None if like.call_options.callback is None else _CALLBACK
    sample = Submission(
        id=_ID,
        function=like.function,
        version=like.version,
        queue=like.queue,
        arguments=_ARGUMENTS,
        caller=like.caller,
        call_options=CallOptions(callback=callback),
    )
    markers = (_ID.encode(), _ARGUMENTS, _moment(_CREATED_MS), b'"%b"' % _CALLBACK.encode())
    return _Template(new_record(sample, _CREATED_MS), markers)


class _Layout:
    """The places of the values in a notice, whose fields come in the order they were written."""

    def __init__(self, names: tuple[bytes, ...]) -> None:
        def places(*wanted: bytes) -> Callable[[list[bytes]], Any]:
            return itemgetter(*map(names.index, wanted))

        self.kind = places(*_KIND, *((b"caller",) if b"caller" in names else ()))
        self.shown = places(*_SHOWN)
        self.how_it_ended = places(b"status", b"attempt")


class SucceededTemplates:
    """Renders invocations that succeeded at their first attempt, from their notices."""

    def __init__(self) -> None:
        self._templates: dict[tuple[bytes, ...], _Template] = {}
        self._layouts: dict[tuple[bytes, ...], _Layout | None] = {}
        self._moments = _Moments()

    def write(self, notice: bytes, arguments: bytes) -> bytes | None:
        """Return the bytes of `invocation_json(record_from_notice(…))`; None without a template.

        Raises:
            StoreError: The notice is malformed.
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
        moment_of = self._moments.write
        return self._template(layout.kind(values)).fill(
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

    def _template(self, kind: tuple[bytes, ...]) -> _Template:
        template = self._templates.get(kind)
        if template is None:
            if len(self._templates) >= _MOST_TEMPLATES:
                self._templates.clear()
            template = self._templates[kind] = _succeeded(*(word.decode() for word in kind))
        return template


def _succeeded(function: str, version: str, queue: str, caller: str | None = None) -> _Template:
    sample = Record(
        id=_ID,
        function=function,
        version=version,
        queue=queue,
        caller=caller,
        status=Status.SUCCEEDED,
        attempt=1,
        arguments=_ARGUMENTS,
        result=_RESULT,
        worker=_WORKER,
        created_at_ms=_CREATED_MS,
        started_at_ms=_STARTED_MS,
        finished_at_ms=_FINISHED_MS,
    )
    markers = (
        *(_ID.encode(), _ARGUMENTS, _RESULT, b'"%b"' % _WORKER.encode()),
        *map(_moment, (_CREATED_MS, _STARTED_MS, _FINISHED_MS)),
        b'"queued_ms":%d' % (_STARTED_MS - _CREATED_MS),
        b'"duration_ms":%d' % (_FINISHED_MS - _STARTED_MS),
    )
    return _Template(sample, markers)


def _moment(at_ms: int) -> bytes:
    return b'"%b"' % (moment(at_ms) or "").encode()
