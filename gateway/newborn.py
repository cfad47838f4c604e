"""The invocation right after its birth, as JSON, without building it anew each time.

Of a newborn only the id, the arguments and the moment differ from the one before. The
shape comes from `runtime.invocations.view` itself, so the two cannot disagree.
"""

from __future__ import annotations

import re
from operator import itemgetter

from runtime.invocations.record import record_at_birth
from runtime.invocations.submission import NO_WISHES, Submission, Wishes
from runtime.invocations.view import invocation_json, moment

_ID = b"@penstock-id@"
_ARGUMENTS = b'"@penstock-arguments@"'
_EPOCH = b'"1970-01-01T00:00:00.000Z"'
_FILLED_WITH = (_ID, _ARGUMENTS, _EPOCH)
_HOLES = re.compile(b"(%b|%b|%b)" % _FILLED_WITH)
_MOST_SHAPES = 4096
_Kind = tuple[str, str, str, str | None]


class Clock:
    """Writes moments; those of one second have all but the milliseconds in common."""

    def __init__(self) -> None:
        self._second = -1
        self._text = b""

    def write(self, at_ms: int) -> bytes:
        """Return a moment as a JSON string."""
        second, ms = divmod(at_ms, 1000)
        if second != self._second:
            text = moment(second * 1000) or ""
            self._second, self._text = second, text.removesuffix("000Z").encode()
        return b'"%b%03dZ"' % (self._text, ms)


class NewbornShape:
    """All newborn invocations of one function, version and queue that wished nothing that shows."""

    def __init__(
        self, function: str, version: str, queue: str, caller: str | None, *, clock: Clock
    ) -> None:
        sample = Submission(
            id=_ID.decode(),
            function=function,
            version=version,
            queue=queue,
            arguments=_ARGUMENTS,
            caller=caller,
        )
        written = invocation_json(record_at_birth(sample, 0)).replace(b"%", b"%%")
        self._template = _HOLES.sub(b"%b", written)
        self._pick = itemgetter(*map(_FILLED_WITH.index, _HOLES.findall(written)))
        self._clock = clock

    def write(self, invocation_id: bytes, arguments: bytes, created_at_ms: int) -> bytes:
        """Return what `invocation_json(record_at_birth(…))` returns."""
        parts = (invocation_id, arguments, self._clock.write(created_at_ms))
        written: bytes = self._template % self._pick(parts)
        return written


class NewbornWriter:
    """Writes newborn invocations; one shape for each function, version, queue and caller."""

    def __init__(self) -> None:
        self._shapes: dict[_Kind, NewbornShape] = {}
        self._clock = Clock()

    def write(self, submission: Submission, created_at_ms: int) -> bytes:
        """Return what `invocation_json(record_at_birth(…))` returns."""
        wishes = submission.wishes
        is_usual = not (submission.retry_of or submission.secrets or submission.request)
        if not is_usual or (wishes is not NO_WISHES and _shows(wishes)):
            return invocation_json(record_at_birth(submission, created_at_ms))
        shape = self.shape(
            submission.function, submission.version, submission.queue, submission.caller
        )
        return shape.write(submission.id.encode(), submission.arguments, created_at_ms)

    def shape(
        self, function: str, version: str, queue: str, caller: str | None = None
    ) -> NewbornShape:
        """Return what such newborns have in common."""
        key = (function, version, queue, caller)
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[key] = NewbornShape(
                function, version, queue, caller, clock=self._clock
            )
        return shape


def _shows(wishes: Wishes) -> bool:
    """Whether the invocation shows what was wished."""
    return bool(wishes.delay_ms or wishes.run_at_ms or wishes.tags or wishes.callback)
