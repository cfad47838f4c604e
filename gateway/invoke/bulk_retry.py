"""Retry many finished invocations: each at most once, and only if its arguments still fit.

One script submits the new invocation and marks the old one as retried, so a bulk retry that is
repeated or interrupted retries nothing twice.
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
    """What a bulk retry has done so far.

    Attributes:
        count: How many invocations were retried.
        skipped: How many were not, because their record or function is gone, their arguments no
            longer fit, or the caller may not invoke the function, or has no key and the function
            verifies webhooks.
        refusal: Why no more are accepted for now; None if they are.
    """

    count: int = 0
    skipped: int = 0
    refusal: ProblemError | None = None


class BulkRetrier:
    """Retries records that come from a list."""

    def __init__(
        self, store: AsyncConnection, manifest_cache: ManifestCache, admission: Admission
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._admission = admission

    async def retry(self, records: Sequence[Record], tally: RetryReport, caller: Caller) -> None:
        """Retry one page of records and count them in `tally`.

        Records that have been retried before are ignored. Those whose function the caller may not
        invoke are skipped, unless the caller may operate.

        Raises:
            StoreError: Redis does not answer, or answers with an error; some records may have
                been retried.
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
        """Read the records again in which the list left out the arguments or the request."""
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
            manifest = await self._manifest_cache.find(record.function)
            if manifest.options.verify is not None and not caller.key_id:
                return None
            return prepare_retry(
                manifest,
                record,
                is_only_retry=True,
                max_waiting=self._admission.max_waiting,
                api_key=caller.key_id,
            )
        except (ArgumentsError, FunctionUnavailableError, UnknownFunctionError):
            return None
