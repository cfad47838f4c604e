"""What the client does for one invocation: submit, wait, read the result, follow, cancel.

Each method is a flow (`steps`): the two clients perform it, one blocking and one in an event loop.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Unpack

from penstock.client.errors import (
    AlreadyFinishedError,
    NotPenstockError,
    UnreachableError,
    WaitTimeoutError,
)
from penstock.client.event_stream import END, EventParser
from penstock.client.options import CallOptions, OptionNames
from penstock.client.retrying import Patience, RetryPolicy, exchange, refusal_of
from penstock.client.steps import (
    Answer,
    Emit,
    Flow,
    Lost,
    Open,
    Pause,
    Query,
    Read,
    Request,
    path_to,
)
from penstock.client.values import ENDINGS, decode_base64, encode_arguments, ending_error

_LONGEST_WAIT_S = 30  # shorter than proxies usually let a request wait
_SHORTEST_POLL_S = 0.5
_NO_CONTENT = 204

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The options and the retry policy of a client, and what it does with them."""

    policy: RetryPolicy
    options: CallOptions

    def with_options(self, **options: Unpack[OptionNames]) -> Caller:
        """Return the same with these options besides."""
        return replace(self, options=replace(self.options, **options))

    def deadline(self, timeout: float | None = None) -> float:
        """Return when to stop waiting, by the policy's clock; `timeout` wins over the option."""
        seconds = self.options.timeout if timeout is None else timeout
        return math.inf if seconds is None else self.policy.now() + seconds

    def ask(
        self, method: str, path: str, query: Query = (), deadline: float = math.inf
    ) -> Flow[Answer]:
        """Send a request without a body and return its answer."""
        request = Request(method=method, path=path, query=query)
        return exchange(request, self.policy, deadline)

    def submit(self, function: str, arguments: Mapping[str, object]) -> Flow[Record]:
        """Submit a call and return its invocation."""
        answer = yield from exchange(self._submission(function, arguments), self.policy, math.inf)
        return _record(answer)

    def call(self, function: str, arguments: Mapping[str, object]) -> Flow[Any]:
        """Submit a call, wait until it ends, and return the result."""
        deadline = self.deadline()
        submission = self._submission(function, arguments)
        waiting = replace(submission, wait_s=self._wait_s(deadline))
        answer = yield from exchange(waiting, self.policy, deadline)
        record = _record(answer)
        if record["status"] not in ENDINGS:
            record = yield from self.await_end(record["id"], deadline)
        return (yield from self.read_result(record))

    def _submission(self, function: str, arguments: Mapping[str, object]) -> Request:
        return Request(
            method="POST",
            path=path_to("functions", function),
            query=self.options.query(),
            headers={**self.options.headers(), "Content-Type": "application/json"},
            body=encode_arguments(arguments),
        )

    def read(self, invocation_id: str) -> Flow[Record]:
        """Return an invocation as it is now."""
        answer = yield from self.ask("GET", path_to("invocations", invocation_id))
        return _record(answer)

    def await_end(self, invocation_id: str, deadline: float) -> Flow[Record]:
        """Wait until an invocation has ended, and return it.

        Raises:
            WaitTimeoutError: The deadline passed first.
        """
        request = Request(method="GET", path=path_to("invocations", invocation_id))
        while True:
            began = self.policy.now()
            waiting = replace(request, wait_s=self._wait_s(deadline))
            record = _record((yield from exchange(waiting, self.policy, deadline)))
            if record["status"] in ENDINGS:
                return record
            now = self.policy.now()
            if now >= deadline:
                raise WaitTimeoutError(invocation_id)
            # A gateway that stops answers early.
            if now - began < _SHORTEST_POLL_S:
                yield Pause(min(_SHORTEST_POLL_S, deadline - now))

    def _wait_s(self, deadline: float) -> int:
        """Return for how long the next answer may be held back; whole seconds, rounded up."""
        left_s = deadline - self.policy.now()
        return max(0, math.ceil(min(left_s, _LONGEST_WAIT_S)))

    def result(self, record: Record, deadline: float) -> Flow[tuple[Record, Any]]:
        """Wait until an invocation has ended; return it, and its result."""
        if record["status"] not in ENDINGS:
            record = yield from self.await_end(record["id"], deadline)
        return record, (yield from self.read_result(record))

    def read_result(self, record: Record) -> Flow[Any]:
        """Return the result of a finished invocation.

        A record shows bytes as base64, as it shows a text that happens to be base64. The result
        alone tells them apart.

        Raises:
            InvocationError: It did not succeed.
        """
        error = ending_error(record)
        if error is not None:
            raise error
        found = decode_base64(record["result"])
        if found is None:
            return record["result"]
        answer = yield from self.ask("GET", path_to("invocations", record["id"], "result"))
        return found if answer.body == found else record["result"]

    def cancel(self, invocation_id: str) -> Flow[Record]:
        """Cancel an invocation and return it; one that was cancelled before is left as it is."""
        try:
            answer = yield from self.ask("DELETE", path_to("invocations", invocation_id))
        except AlreadyFinishedError as error:
            record: Record = error.problem.get("invocation") or {}
            if record.get("status") != "cancelled":
                raise
            return record
        return _record(answer)

    def logs(self, invocation_id: str, attempt: int | None) -> Flow[str]:
        """Return what an invocation has printed and logged, in all its attempts or in one."""
        query = () if attempt is None else (("attempt", str(attempt)),)
        answer = yield from self.ask("GET", path_to("invocations", invocation_id, "logs"), query)
        return answer.body.decode(errors="replace")

    def events(self, invocation_id: str, last_event_id: str) -> Flow[None]:
        """Emit every event after `last_event_id` until the last one, over as many connections."""
        path = path_to("invocations", invocation_id, "events")
        patience = Patience(self.policy, math.inf)
        while True:
            headers = {"Accept": "text/event-stream"}
            if last_event_id:
                headers["Last-Event-ID"] = last_event_id
            reply: Answer | Lost = yield Open(Request(method="GET", path=path, headers=headers))
            if isinstance(reply, Answer) and reply.status == _NO_CONTENT:
                return  # the last event was received before
            error = refusal_of(reply)
            parser, pieces = EventParser(), 0
            while error is None:
                piece: bytes | Lost = yield Read()
                if isinstance(piece, Lost):
                    error = UnreachableError(piece.reason)
                    break
                pieces += 1
                for event in parser.feed(piece):
                    patience.reset()
                    last_event_id = event.id
                    yield Emit(event)
                    if event.name == END:
                        return
                if pieces > 1:  # the first may be the greeting of a gateway that stops
                    patience.reset()
            yield patience.pause_after(error)


def _record(answer: Answer) -> Record:
    """Return the invocation in an answer.

    Raises:
        NotPenstockError: It is none.
    """
    record = answer.json()
    if not isinstance(record, dict) or "id" not in record or "status" not in record:
        raise NotPenstockError("the answer is no invocation; is this a Penstock system?")
    return record
