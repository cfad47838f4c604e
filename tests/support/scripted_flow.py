"""Driving a flow of the client without a network: replies are given, steps are noted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from penstock.client.flows import Caller
from penstock.client.options import CallOptions
from penstock.client.retrying import RetryPolicy
from penstock.client.steps import Answer, Done, Emit, Flow, Lost, Open, Pause, Read, Send, advance


@dataclass
class Script:
    """A clock that pauses move, the replies to come, and what the flow did."""

    replies: list[Answer | Lost | bytes]
    now_s: float = 0.0
    reply_takes_s: float = 0.0
    sent: list[Send | Open] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    emitted: list[Any] = field(default_factory=list)

    def caller(self, *, for_s: float = 30, **options: Any) -> Caller:
        """Return a client's part that a flow needs, on this clock; chance is always 1."""
        policy = RetryPolicy(for_s=for_s, now=lambda: self.now_s, draw=lambda: 1.0)
        return Caller(policy=policy, options=CallOptions(**options))

    def run(self, flow: Flow[Any]) -> Any:
        """Perform a flow to its end; return its value."""
        step = advance(flow, None)
        while not isinstance(step, Done):
            step = advance(flow, self._reply(step))
        return step.value

    def _reply(self, step: Send | Open | Read | Pause | Emit) -> object:
        if isinstance(step, Pause):
            self.pauses.append(round(step.seconds, 6))
            self.now_s += step.seconds
            return None
        if isinstance(step, Emit):
            self.emitted.append(step.value)
            return None
        if isinstance(step, Send | Open):
            self.sent.append(step)
            self.now_s += self.reply_takes_s
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    @property
    def headers(self) -> list[dict[str, str]]:
        """The headers of each request."""
        return [step.request.sent_headers for step in self.sent]

    @property
    def targets(self) -> list[str]:
        """The path and query of each request."""
        return [step.request.target for step in self.sent]


def script(*replies: Answer | Lost | bytes, **more: Any) -> Script:
    """Return a script with these replies; the last one stays."""
    return Script(list(replies), **more)


def answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer with a JSON body; `_` in a header's name stands for a hyphen."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers=names, body=json.dumps(value).encode())


def problem(code: str, status: int, **headers: str) -> Answer:
    """Return a problem as a gateway sends it."""
    return answer({"code": code, "status": status, "detail": "said"}, status, **headers)


def record(status: str = "succeeded", **more: Any) -> dict[str, Any]:
    """Return the members of an invocation that the client reads."""
    return {"id": "one", "function": "f", "status": status, "result": None, "error": None, **more}


def page(records: Iterable[dict[str, Any]], following: str | None = None) -> Answer:
    """Return a page of a batch."""
    return answer({"items": list(records), "next": following})
