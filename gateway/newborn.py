"""The invocation right after its birth, as JSON, without building it anew each time.

Of a newborn only the id, the arguments and the moment differ from the one before. The
shape comes from `runtime.invocations.view` itself, so the two cannot disagree.
"""

from __future__ import annotations

import re
from operator import itemgetter

import msgspec

from runtime.invocations.record import record_at_birth
from runtime.invocations.submission import NO_WISHES, Submission, Wishes
from runtime.invocations.view import invocation_json, moment

_ID = b"@penstock-id@"
_ARGUMENTS = b'"@penstock-arguments@"'
_EPOCH = b'"1970-01-01T00:00:00.000Z"'
_CALLBACK = b'"@penstock-callback@"'
_FILLED_WITH = (_ID, _ARGUMENTS, _EPOCH, _CALLBACK)
_HOLES = re.compile(b"(%b|%b|%b|%b)" % _FILLED_WITH)
_MOST_SHAPES = 4096
_Kind = tuple[str, str, str, str | None, bool]


class Clock:
    """Writes moments; those of one second have all but the milliseconds in common."""

    def __init__(self) -> None:
        self._second = -1
        self._text = b""
        self._last = (-1, b"")  # calls of one script are born at one moment

    def write(self, at_ms: int) -> bytes:
        """Return a moment as a JSON string."""
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


class NewbornShape:
    """All newborn invocations of one function, version, queue and caller.

    But of those that asked for something else that shows than a callback.
    """

    def __init__(
        self,
        function: str,
        version: str,
        queue: str,
        caller: str | None,
        *,
        has_callback: bool,
        clock: Clock,
    ) -> None:
        sample = Submission(
            id=_ID.decode(),
            function=function,
            version=version,
            queue=queue,
            arguments=_ARGUMENTS,
            caller=caller,
            wishes=Wishes(callback=_CALLBACK[1:-1].decode()) if has_callback else NO_WISHES,
        )
        written = invocation_json(record_at_birth(sample, 0)).replace(b"%", b"%%")
        self._template = _HOLES.sub(b"%b", written)
        self._pick = itemgetter(*map(_FILLED_WITH.index, _HOLES.findall(written)))
        self._clock = clock

    def write(
        self, invocation_id: bytes, arguments: bytes, created_at_ms: int, callback: str | None
    ) -> bytes:
        """Return what `invocation_json(record_at_birth(…))` returns."""
        address = b"" if callback is None else msgspec.json.encode(callback)
        parts = (invocation_id, arguments, self._clock.write(created_at_ms), address)
        written: bytes = self._template % self._pick(parts)
        return written


class NewbornWriter:
    """Writes newborn invocations; those of one kind share a shape."""

    def __init__(self) -> None:
        self._shapes: dict[_Kind, NewbornShape] = {}
        self._clock = Clock()

    def write(self, submission: Submission, created_at_ms: int) -> bytes:
        """Return what `invocation_json(record_at_birth(…))` returns."""
        wishes = submission.wishes
        is_usual = not (submission.retry_of or submission.secrets or submission.request)
        if not is_usual or (wishes is not NO_WISHES and _shows(wishes)):
            return invocation_json(record_at_birth(submission, created_at_ms))
        kind = (
            submission.function,
            submission.version,
            submission.queue,
            submission.caller,
            wishes.callback is not None,
        )
        shape = self._shapes.get(kind)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[kind] = NewbornShape(
                submission.function,
                submission.version,
                submission.queue,
                submission.caller,
                has_callback=wishes.callback is not None,
                clock=self._clock,
            )
        return shape.write(
            submission.id.encode(), submission.arguments, created_at_ms, wishes.callback
        )


def _shows(wishes: Wishes) -> bool:
    """Whether the invocation shows what was asked for, besides a callback."""
    return bool(wishes.delay_ms or wishes.run_at_ms or wishes.tags)
