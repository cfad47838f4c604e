"""Plain calls: those that wish nothing, taken and answered without a coroutine.

What is usual is judged, submitted and answered here: a birth, a wait that ends well. As
soon as anything else comes of a call, the application answers it, with Falcon and all; a
request that is not plain never comes here (`PlainCalls.judge_head`).
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import structlog
from falcon.asgi import Request, Response

from gateway.acceptance_log import AcceptanceLog
from gateway.accepting import ASK_AGAIN_S, point_to, show
from gateway.admission import Admission
from gateway.call_plans import CallPlan, CallPlans
from gateway.directory import FunctionDirectory
from gateway.ended import EndedWriter
from gateway.following import Follower, record_of
from gateway.json_boundary import LONG_BYTES
from gateway.preferences import Preferences, read_preferences
from gateway.serving.exchange import STATUS_LINES, Exchange
from gateway.serving.known_heads import Taker
from gateway.waiting import Notice, Waiters
from runtime.errors import StoreError
from runtime.invocations.identifiers import new_invocation_id
from runtime.invocations.record import Record, record_at_birth
from runtime.invocations.submission import prepare
from runtime.store.submission_calls import Submitted

BEGUN = "penstock.begun"
_log = structlog.get_logger(__name__)
_INVOKING = "/functions/"
# What each of these says is for the general way: who calls, from which page, what he wishes.
_SPEAKING = frozenset(
    {
        *(b"authorization", b"origin", b"sec-fetch-site", b"idempotency-key"),
        *(b"traceparent", b"tracestate", b"x-callback-url", b"transfer-encoding"),
        b"content-encoding",
    }
)
_PLACE = b"location: /invocations/%b\r\nx-call-id: %b\r\n%b"
_SIZE = b"content-type: application/json\r\ncontent-length: %d\r\n"
_ACCEPTED = b"%b%bretry-after: %b\r\n%b" % (STATUS_LINES[202], _PLACE, ASK_AGAIN_S.encode(), _SIZE)
_ENDED_WELL = b"%b%b%b" % (STATUS_LINES[200], _PLACE, _SIZE)


class PlainCalls:
    """Takes plain calls, on a gateway that is open, without limits of pace and without tracing.

    Args:
        directory: The functions there are.
        plans: What the calls of each have in common.
        follower: Knows how an invocation stands.
        waiters: Hear of ends.
        admission: Says why a call is refused.
        log: Where acceptances are told.
        max_body_bytes: The application refuses what is longer; and reads itself what is long.
    """

    def __init__(
        self,
        *,
        directory: FunctionDirectory,
        plans: CallPlans,
        follower: Follower,
        waiters: Waiters,
        admission: Admission,
        log: AcceptanceLog,
        max_body_bytes: int,
    ) -> None:
        self.follower = follower
        self.waiters = waiters
        self.admission = admission
        self.log = log
        self.ended = EndedWriter()
        self._directory = directory
        self._plans = plans
        self._longest_bytes = min(max_body_bytes, LONG_BYTES)

    def judge_head(self, scope: dict[str, Any]) -> Taker | None:
        """Return how to take a request, as far as its head goes; None if it is not plain."""
        path: str = scope["path"]
        if scope["method"] != "POST" or not path.startswith(_INVOKING) or scope["query_string"]:
            return None
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if (
            len(headers) != len(scope["headers"])
            or headers.get(b"content-type") != b"application/json"
            or not _SPEAKING.isdisjoint(headers)
            or int(headers.get(b"content-length", 0)) > self._longest_bytes
        ):
            return None
        prefer = headers.get(b"prefer")
        preferences = read_preferences(None if prefer is None else prefer.decode("latin-1"))
        return partial(self._take, path.removeprefix(_INVOKING), preferences)

    def _take(self, function: str, preferences: Preferences, exchange: Exchange) -> bool:
        """Submit a call; not if anything about it is unusual."""
        plan = self._plans.find(self._directory.manifests, function)
        body = exchange.body
        if plan is None or not 0 < len(body) <= self._longest_bytes or not plan.accepts(body):
            return False
        call = PlainCall(self, exchange, plan, body, preferences)
        call.begin()
        return True


class PlainCall:
    """One plain call, from its submission to its answer."""

    __slots__ = (
        "_arguments",
        "_calls",
        "_exchange",
        "_id",
        "_notice",
        "_plan",
        "_preferences",
        "_submitted",
        "_timer",
    )

    def __init__(
        self,
        calls: PlainCalls,
        exchange: Exchange,
        plan: CallPlan,
        arguments: bytes,
        preferences: Preferences,
    ) -> None:
        self._calls = calls
        self._exchange = exchange
        self._plan = plan
        self._arguments = arguments
        self._preferences = preferences
        self._id = new_invocation_id()
        self._submitted: Submitted | StoreError | None = None
        self._notice: Notice | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Submit it; listen before, if the caller waits."""
        wait_s = self._preferences.wait_s
        if not wait_s:
            self._plan.unawaited.submit(self._id.encode(), self._arguments, self._hear_of_birth)
            return
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._hear_of_end, None)
        self._exchange.on_leave = self._stop_waiting
        self._calls.waiters.listen(self._id, self._hear_of_end)
        self._plan.awaited.submit(self._id.encode(), self._arguments, self._hear_of_birth)

    async def answer(self, req: Request, resp: Response) -> None:
        """Answer in the application what has become of it.

        Raises:
            ProblemError: It was not taken.
            StoreError: Redis is away, or answered an error.
        """
        submitted = self._submitted
        if not isinstance(submitted, Submitted):
            raise submitted or StoreError("The call was not submitted.")
        refusal = self._calls.admission.refusal(submitted, self._plan.manifest.name)
        if refusal is not None:
            raise refusal
        point_to(resp, self._id, self._preferences)
        show(req, resp, await self._read(submitted))

    async def _read(self, submitted: Submitted) -> Record:
        if self._notice is not None:
            return record_of(self._notice, self._arguments)
        newborn = prepare(self._plan.manifest, self._arguments, invocation_id=self._id)
        return await self._calls.follower.how_it_stands(
            record_at_birth(newborn, submitted.created_at_ms)
        )

    def _hear_of_birth(self, submitted: Submitted | StoreError) -> None:
        self._submitted = submitted
        if isinstance(submitted, Submitted) and submitted.reception == "NEW":
            self._calls.log.note_plain(self._id, self._plan.manifest)
            if self._timer is not None:
                return
        self._stop_waiting()
        self._answer()

    def _hear_of_end(self, notice: Notice | None) -> None:
        """Hear how it ended, or that no more time is left to wait."""
        self._notice = notice
        self._stop_waiting()
        if self._submitted is not None:  # else the end was faster than the word of the birth
            self._answer()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._exchange.on_leave = None
            self._calls.waiters.forget(self._id, self._hear_of_end)

    def _answer(self) -> None:
        try:
            answer = self._usual_answer()
        except Exception:  # noqa: BLE001 - the outermost frame of a request
            _log.exception("call_not_answered", id=self._id)
            answer = None
        if answer is None:
            self._exchange.hand_over({BEGUN: self})
        else:
            self._exchange.answer(*answer)

    def _usual_answer(self) -> tuple[bytes, bytes] | None:
        """Return head and body, None if that is the application's to say."""
        submitted, notice = self._submitted, self._notice
        if not isinstance(submitted, Submitted) or submitted.reception != "NEW":
            return None
        encoded_id = self._id.encode()
        if not self._preferences.wait_s:
            head = _ACCEPTED
            body = self._plan.newborn.write(encoded_id, self._arguments, submitted.created_at_ms)
        elif not isinstance(notice, bytes):
            return None
        else:
            head = _ENDED_WELL
            ended = self._calls.ended.write(notice, self._arguments)
            if ended is None:
                return None
            body = ended
        applied = self._preferences.applied
        line = b"preference-applied: %b\r\n" % applied.encode() if applied else b""
        return head % (encoded_id, encoded_id, line, len(body)), body
