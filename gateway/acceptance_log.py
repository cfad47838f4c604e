"""The lines about what this gateway accepts; those of one turn of the loop go together."""

from __future__ import annotations

import asyncio

from runtime.invocations.submission import Submission
from runtime.registry.manifest import Manifest
from runtime.telemetry.status_log import Change, tell, tells_usual

_ACCEPTED = "invocation_accepted"


class AcceptanceLog:
    """Notes acceptances where they are told; used in one event loop."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def note(self, submission: Submission) -> None:
        """An invocation was born."""
        if not tells_usual():
            return
        trace = submission.wishes.trace
        self._add(
            Change(
                event=_ACCEPTED,
                id=submission.id,
                function=submission.function,
                queue=submission.queue,
                retry_of=submission.retry_of or "",
                trace_id="" if trace is None else trace.trace_id,
            )
        )

    def note_plain(self, invocation_id: str, manifest: Manifest) -> None:
        """An invocation was born that nothing was wished for."""
        if tells_usual():
            queue = manifest.options.queue
            self._add(
                Change(event=_ACCEPTED, id=invocation_id, function=manifest.name, queue=queue)
            )

    def _add(self, change: Change) -> None:
        if not self._changes:
            asyncio.get_running_loop().call_soon(self._write)
        self._changes.append(change)

    def _write(self) -> None:
        changes, self._changes = self._changes, []
        tell(changes)
