"""From a submission to an answer: submit it in one round trip, and wait if the caller prefers.

Shared by all that make one invocation: calls, but for plain ones, and retries.
"""

from __future__ import annotations

from falcon.asgi import Request, Response

from gateway.acceptance_log import AcceptanceLog
from gateway.admission import Admission
from gateway.endings import ending_problem
from gateway.error_handlers import write_problem
from gateway.following import Follower
from gateway.newborn import NewbornWriter
from gateway.preferences import Preferences
from gateway.tracing import accepting
from runtime.invocations.record import Record, record_at_birth
from runtime.invocations.submission import Submission, submit
from runtime.invocations.view import invocation_json
from runtime.store.multiplexer import Multiplexer
from runtime.store.submission_calls import Pace, Submitted
from runtime.telemetry.tracing import Tracer

ASK_AGAIN_S = "1"


class Acceptance:
    """Submits, and answers with the invocation or how it ended."""

    def __init__(
        self,
        *,
        store: Multiplexer,
        follower: Follower,
        admission: Admission,
        log: AcceptanceLog,
        tracer: Tracer | None = None,
    ) -> None:
        self.admission = admission
        self._log = log
        self._tracer = tracer
        self._store = store
        self._follower = follower
        self._newborns = NewbornWriter()

    def waiter(self, preferences: Preferences) -> str | None:
        """Return who is to be told of the end."""
        return self._follower.gateway_id if preferences.wait_s else None

    async def answer(
        self, req: Request, resp: Response, submission: Submission, preferences: Preferences
    ) -> None:
        """Submit, and answer.

        Raises:
            ProblemError: It was not taken.
            InvocationGoneError: It repeats one whose record is no longer kept.
        """
        if preferences.wait_s:
            record = await self._submit_and_wait(resp, submission, preferences)
            point_to(resp, record.id, preferences)
            show(req, resp, record)
            return
        submitted = await self._submit(submission)
        if self._is_new(resp, submission.function, submitted, submission.pace):
            invocation = self._newborns.write(submission, submitted.created_at_ms)
        else:
            invocation = invocation_json(await self._follower.fetch(submitted.id))
        point_to(resp, submitted.id, preferences)
        _accept(resp, invocation)

    async def _submit(self, submission: Submission) -> Submitted:
        if self._tracer is None:
            submitted = await self._store.run(submit(submission))
        else:
            with accepting(self._tracer, submission) as traced:
                submitted = await self._store.run(submit(traced))
            submission = traced
        if submitted.reception == "NEW":
            self._log.note(submission)
        return submitted

    async def _submit_and_wait(
        self, resp: Response, submission: Submission, preferences: Preferences
    ) -> Record:
        with self._follower.expect(submission.id) as arrival:
            submitted = await self._submit(submission)
            if self._is_new(resp, submission.function, submitted, submission.pace):
                newborn = record_at_birth(submission, submitted.created_at_ms)
                return await self._follower.until_finished(arrival, newborn, preferences.wait_s)
        return await self._follower.fetch(submitted.id, preferences.wait_s)

    def _is_new(
        self, resp: Response, function: str, submitted: Submitted, pace: Pace | None = None
    ) -> bool:
        """Whether it was born; else it repeats another, or is refused."""
        if submitted.calls_left is not None:
            resp.set_headers(self.admission.headers(submitted, pace))
        if submitted.reception == "NEW":
            return True
        refusal = self.admission.refusal(submitted, function, pace)
        if refusal is not None:
            raise refusal
        resp.set_header("Idempotency-Replayed", "true")
        return False


def point_to(resp: Response, invocation_id: str, preferences: Preferences) -> None:
    """Say where the invocation is, and which preference was applied."""
    resp.set_header("Location", f"/invocations/{invocation_id}")
    resp.set_header("X-Call-Id", invocation_id)
    if preferences.applied:
        resp.set_header("Preference-Applied", preferences.applied)


def show(req: Request, resp: Response, record: Record) -> None:
    """Answer a caller who waited."""
    if not record.is_finished:
        _accept(resp, invocation_json(record))
    elif (problem := ending_problem(record)) is not None:
        write_problem(req, resp, problem)
    else:
        resp.content_type = "application/json"
        resp.data = invocation_json(record)


def _accept(resp: Response, invocation: bytes) -> None:
    resp.status = 202
    resp.set_header("Retry-After", ASK_AGAIN_S)
    resp.content_type = "application/json"
    resp.data = invocation
