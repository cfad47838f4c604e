"""From a submission to a response: submit in one round trip, wait if the caller prefers, render.

The resources for calls and for retries use `Invoker`. The functions below it render an invocation,
or the problem of one that did not succeed; the resource of results uses them too. A wait is
registered before the call is submitted, so its notice is not missed.
"""

from __future__ import annotations

from typing import Any

import msgspec
from falcon.asgi import Request, Response

from gateway.asgi.error_handlers import write_problem
from gateway.auth.caller import CALLER, Caller
from gateway.invoke.accept_spans import accepting
from gateway.invoke.admission import Admission
from gateway.invoke.call_headers import SharedOptions
from gateway.invoke.call_idempotency import idempotency_of
from gateway.invoke.call_plan import CallPlan, PackedParts
from gateway.invoke.event_log import AcceptanceLog
from gateway.invoke.response_templates import SucceededTemplates
from gateway.live.waiters import InvocationReader, Notice, record_of, wait_for
from gateway.parsing.arguments import ParsedArguments
from gateway.parsing.preferences import Preferences
from gateway.problems import ProblemError
from runtime.errors import ArgumentFault, InvocationGoneError
from runtime.invocations.record import Record, new_record
from runtime.invocations.status import Status
from runtime.invocations.submission import Submission, complete
from runtime.invocations.view import invocation_json
from runtime.store.submission_commands import Submitted
from runtime.telemetry.tracing import Tracer

ASK_AGAIN_S = "1"
_JSON = "application/json"


class Invoker:
    """Submits a call, and writes the response: the invocation, or the problem it ended with."""

    def __init__(
        self,
        *,
        invocation_reader: InvocationReader,
        admission: Admission,
        log: AcceptanceLog,
        tracer: Tracer | None = None,
    ) -> None:
        self.admission = admission
        self._log = log
        self._tracer = tracer
        self._invocation_reader = invocation_reader
        self._succeeded = SucceededTemplates()

    @property
    def gateway_id(self) -> str:
        """The id of this gateway, for calls whose end it waits for."""
        return self._invocation_reader.gateway_id

    def waiter(self, preferences: Preferences) -> str | None:
        """Return the id of the gateway that gets the notice of the end; None if nobody waits."""
        return self._invocation_reader.gateway_id if preferences.wait_s else None

    def build(
        self,
        req: Request,
        plan: CallPlan,
        sourced: ParsedArguments,
        asked: SharedOptions,
        own: dict[str, Any],
        *,
        waiter: str | None = None,
    ) -> Submission:
        """Return the submission of a call.

        Args:
            req: The request.
            plan: The plan of the function.
            sourced: The arguments.
            asked: The options that many calls have in common.
            own: The values of the headers that differ from call to call.
            waiter: The id of this gateway if the caller waits here.
        """
        key: str | None = own.get("idempotency")
        idempotency = None
        if key is not None or plan.verification is not None:
            idempotency = idempotency_of(req, plan.manifest, sourced, asked.content, key)
        caller: Caller = req.scope[CALLER]
        return complete(
            plan.shared,
            sourced.encoded,
            asked.call_options,
            request=sourced.request,
            waiter=waiter,
            pace=self.admission.pace(req.scope),
            caller=caller.name,
            api_key=caller.key_id,
            idempotency=idempotency,
            trace=own.get("trace"),
        )

    async def answer(
        self,
        req: Request,
        resp: Response,
        plan: CallPlan,
        submission: Submission,
        preferences: Preferences,
        settled: PackedParts | None = None,
    ) -> None:
        """Submit a call and write the response.

        Args:
            req: The request.
            resp: Its response.
            plan: The plan of the function.
            submission: The call.
            preferences: The preferences of its caller.
            settled: The parts of its options, if they have been encoded before.

        Raises:
            ProblemError: The call was refused.
            InvocationGoneError: The call repeats an invocation that is no longer kept.
        """
        if not preferences.wait_s:
            submitted = await self._submit(plan, submission, settled)
            if self._is_new(resp, submission, submitted):
                point_to(resp, submission.id, preferences)
                _accept(resp, plan.accepted.write(submission, submitted.created_at_ms))
                return
        else:
            # Before the submission: the notice may come before the script's answer.
            with self._invocation_reader.expect(submission.id) as arrival:
                submitted = await self._submit(plan, submission, settled)
                if self._is_new(resp, submission, submitted):
                    notice = await wait_for(arrival, preferences.wait_s)
                    point_to(resp, submission.id, preferences)
                    await self._show_end(req, resp, submission, submitted, notice)
                    return
        record = await self._fetch_first(submission, submitted, preferences.wait_s)
        if record is None:
            _accept(resp, b"{}")
            return
        point_to(resp, record.id, preferences)
        if preferences.wait_s:
            show(req, resp, record)
        else:
            _accept(resp, invocation_json(record))

    async def run(
        self,
        resp: Response,
        plan: CallPlan,
        submission: Submission,
        settled: PackedParts,
        *,
        wait_s: float,
    ) -> Record | None:
        """Submit a call and return its invocation when it has finished, or after `wait_s`.

        `submission.waiter` must be this gateway. None for a webhook that was sent again and whose
        invocation is no longer kept. Raises as `answer` does.
        """
        with self._invocation_reader.expect(submission.id) as arrival:
            submitted = await self._submit(plan, submission, settled)
            if self._is_new(resp, submission, submitted):
                created = new_record(submission, submitted.created_at_ms)
                return await self._invocation_reader.until_finished(arrival, created, wait_s)
        return await self._fetch_first(submission, submitted, wait_s)

    async def accept(
        self, resp: Response, plan: CallPlan, submission: Submission, settled: PackedParts
    ) -> str:
        """Submit a call and return the id of its invocation. Raises as `answer` does."""
        submitted = await self._submit(plan, submission, settled)
        return submission.id if self._is_new(resp, submission, submitted) else submitted.id

    async def _fetch_first(
        self, submission: Submission, submitted: Submitted, wait_s: float
    ) -> Record | None:
        """Return the invocation that a call repeats; None for a webhook if it is no longer kept.

        A sender takes 410 for an order to stop sending (Standard Webhooks), so it does not get it.
        """
        try:
            return await self._invocation_reader.fetch(submitted.id, wait_s)
        except InvocationGoneError:
            if submission.idempotency is not None and submission.idempotency.is_webhook:
                return None
            raise

    async def _submit(
        self, plan: CallPlan, submission: Submission, settled: PackedParts | None
    ) -> Submitted:
        if self._tracer is None:
            submitted = await plan.submit(submission, settled)
        else:
            with accepting(self._tracer, submission) as traced:
                submitted = await plan.submit(traced, settled)
            submission = traced
        if submitted.reception == "NEW":
            self._log.note(submission)
        return submitted

    async def _show_end(
        self,
        req: Request,
        resp: Response,
        submission: Submission,
        submitted: Submitted,
        notice: Notice | None,
    ) -> None:
        """Write the finished invocation, or its current state if the wait has run out."""
        if isinstance(notice, bytes) and not (submission.request or submission.secrets):
            ended = self._succeeded.write(notice, submission.arguments)
            if ended is not None:
                resp.content_type = _JSON
                resp.data = ended
                return
        created = new_record(submission, submitted.created_at_ms)
        if notice is None:
            show(req, resp, await self._invocation_reader.current(created))
        else:
            show(req, resp, record_of(notice, created.arguments, created.request))

    def _is_new(self, resp: Response, submission: Submission, submitted: Submitted) -> bool:
        """Whether the call was accepted; False if it repeats another; raises if it is refused."""
        if submitted.calls_left is not None:
            resp.set_headers(self.admission.headers(submitted, submission.pace))
        if submitted.reception == "NEW":
            return True
        refusal = self.admission.refusal(submitted, submission.function, submission.pace)
        if refusal is not None:
            raise refusal
        resp.set_header("Idempotency-Replayed", "true")
        return False


def point_to(resp: Response, invocation_id: str, preferences: Preferences) -> None:
    """Set the headers with the invocation's address and id and the applied preference."""
    resp.set_header("Location", f"/invocations/{invocation_id}")
    resp.set_header("X-Call-Id", invocation_id)
    if preferences.applied:
        resp.set_header("Preference-Applied", preferences.applied)


def show(req: Request, resp: Response, record: Record) -> None:
    """Write the response for a caller that waited."""
    if not record.is_finished:
        _accept(resp, invocation_json(record))
    elif (problem := ending_problem(record)) is not None:
        write_problem(req, resp, problem)
    else:
        resp.content_type = _JSON
        resp.data = invocation_json(record)


def _accept(resp: Response, invocation: bytes) -> None:
    resp.status = 202
    resp.set_header("Retry-After", ASK_AGAIN_S)
    resp.content_type = _JSON
    resp.data = invocation


def ending_problem(record: Record) -> ProblemError | None:
    """Return the problem of a finished invocation; None if it succeeded."""
    if record.status is Status.SUCCEEDED:
        return None
    members = {"invocation": invocation_json(record)}
    if record.status is Status.CANCELLED:
        return ProblemError(
            "invocation_cancelled", "The invocation was cancelled.", members=members
        )
    if record.status is Status.EXPIRED:
        return ProblemError(
            "invocation_expired",
            "The invocation expired: it did not start within its max_age.",
            members=members,
        )
    error = msgspec.json.decode(record.error) if record.error else {}
    kind = error.get("type", "exception")
    message = error.get("message") or "no message"
    if kind == "arguments_invalid":
        faults = [
            ArgumentFault(pointer=e["pointer"], detail=e["detail"]) for e in error.get("errors", ())
        ]
        return ProblemError(kind, message, errors=faults, members=members)
    if kind == "rejected":
        return ProblemError(
            kind, f"{record.function} rejected the call: {message}", members=members
        )
    code = "function_timeout" if kind == "timeout" else "function_failed"
    detail = f"{record.function} failed with {error.get('exception_type') or kind}: {message}"
    return ProblemError(code, detail, members=members)
