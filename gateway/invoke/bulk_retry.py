"""Retry many at once: those that ended, that nobody has retried, and that still fit.

Each is submitted by the script that marks the old one as retried, so whatever is
repeated or broken off, nothing is retried twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.auth.caller import Caller
from gateway.invoke.admission import Admission
from gateway.live.manifest_cache import ManifestCache
from gateway.problems import ProblemError
from runtime.errors import ArgumentsError, FunctionUnavailableError, UnknownFunctionError
from runtime.invocations.record import Record, read
from runtime.invocations.retry import prepare_retry
from runtime.invocations.submission import Submission, submit
from runtime.store.async_connection import AsyncConnection


@dataclass(slots=True, kw_only=True)
class RetryReport:
    """What became of those that were to be retried.

    Attributes:
        count: How many were retried.
        skipped: How many were not, as their arguments no longer fit or their function is gone.
        refusal: Why no more are taken for now.
    """

    count: int = 0
    skipped: int = 0
    refusal: ProblemError | None = None


class BulkRetrier:
    """Retries records as lists give them."""

    def __init__(
        self, store: AsyncConnection, directory: ManifestCache, admission: Admission
    ) -> None:
        self._store = store
        self._directory = directory
        self._admission = admission

    async def retry(self, records: Sequence[Record], tally: RetryReport, caller: Caller) -> None:
        """Retry some records, not too many; those that have been retried are passed over.

        So are those whose function the caller may not invoke, unless he may operate.

        Raises:
            StoreError: Redis is away; some may have been retried.
        """
        fresh = [record for record in records if record.retried_by is None]
        submissions = []
        for record in await self._read_whole(fresh):
            submission = None if record is None else await self._prepare(record, caller)
            if submission is None:
                tally.skipped += 1
            else:
                submissions.append(submission)
        answers = await self._store.run_many([submit(each) for each in submissions])
        for submission, submitted in zip(submissions, answers, strict=True):
            if submitted.reception == "NEW":
                tally.count += 1
            elif submitted.reception != "RETRIED":
                tally.refusal = self._admission.refusal(submitted, submission.function)

    async def _read_whole(self, records: Sequence[Record]) -> list[Record | None]:
        """Read those again of which the list has left out what a retry needs."""
        cut = [record for record in records if record.omitted & {"arguments", "request"}]
        whole = await self._store.run_many([read(record.id) for record in cut])
        found: dict[str, Record | None] = {
            record.id: again for record, again in zip(cut, whole, strict=True)
        }
        return [found.get(record.id, record) for record in records]

    async def _prepare(self, record: Record, caller: Caller) -> Submission | None:
        if not caller.may_retry(record.function):
            return None
        try:
            manifest = await self._directory.find(record.function)
            return prepare_retry(
                manifest,
                record,
                is_only_retry=True,
                max_waiting=self._admission.max_waiting,
                api_key=caller.key_id,
            )
        except (ArgumentsError, FunctionUnavailableError, UnknownFunctionError):
            return None
