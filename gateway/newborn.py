"""The invocation right after its birth, as JSON, without building it anew each time.

Of a newborn only the id, the arguments and the moment differ from the one before. The
shape comes from `runtime.invocations.view` itself, so the two cannot disagree.
"""

from __future__ import annotations

import re

from runtime.invocations.record import record_at_birth
from runtime.invocations.submission import NO_WISHES, Submission, Wishes
from runtime.invocations.view import invocation_json, moment

_ID = b"@penstock-id@"
_ARGUMENTS = b'"@penstock-arguments@"'
_EPOCH = b'"1970-01-01T00:00:00.000Z"'
_HOLES = re.compile(b"(%b|%b|%b)" % (_ID, _ARGUMENTS, _EPOCH))
_MOST_SHAPES = 4096
_Kind = tuple[str, str, str, str | None]


class NewbornWriter:
    """Writes newborn invocations; one shape for each function, version, queue and caller."""

    def __init__(self) -> None:
        self._shapes: dict[_Kind, tuple[bytes, tuple[bytes, ...]]] = {}
        self._second = -1
        self._second_text = b""

    def write(self, submission: Submission, created_at_ms: int) -> bytes:
        """Return what `invocation_json(record_at_birth(…))` returns."""
        wishes = submission.wishes
        if submission.retry_of or (wishes is not NO_WISHES and _shows(wishes)):
            return invocation_json(record_at_birth(submission, created_at_ms))
        template, holes = self._shape(submission)
        values = {
            _ID: submission.id.encode(),
            _ARGUMENTS: submission.arguments,
            _EPOCH: self._moment(created_at_ms),
        }
        return template % tuple(map(values.__getitem__, holes))

    def _shape(self, submission: Submission) -> tuple[bytes, tuple[bytes, ...]]:
        """Return a template for %, and what goes into its holes in turn."""
        key = (submission.function, submission.version, submission.queue, submission.caller)
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            sample = Submission(
                id=_ID.decode(),
                function=submission.function,
                version=submission.version,
                queue=submission.queue,
                arguments=_ARGUMENTS,
                caller=submission.caller,
            )
            written = invocation_json(record_at_birth(sample, 0)).replace(b"%", b"%%")
            shape = _HOLES.sub(b"%b", written), tuple(_HOLES.findall(written))
            self._shapes[key] = shape
        return shape

    def _moment(self, at_ms: int) -> bytes:
        second, ms = divmod(at_ms, 1000)
        if second != self._second:
            text = moment(second * 1000) or ""
            self._second, self._second_text = second, text.removesuffix("000Z").encode()
        return b'"%b%03dZ"' % (self._second_text, ms)


def _shows(wishes: Wishes) -> bool:
    """Whether the invocation shows what was wished."""
    return bool(wishes.delay_ms or wishes.run_at_ms or wishes.tags or wishes.callback)
