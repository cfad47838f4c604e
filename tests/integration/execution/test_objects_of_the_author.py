"""Whatever an object of the author's does when it is looked at ends the attempt, and only that."""

from __future__ import annotations

import json

import pytest

from tests.integration.execution.written import write

HOSTILE = """
import dataclasses, os, sys
from dataclasses import dataclass
from penstock import Context, Reject, Retry

class Harm(BaseException):
    def __str__(self): raise self
    __repr__ = __format__ = __str__

def harm(*args, **named):
    raise Harm

class Text(str):
    __len__ = __getitem__ = encode = __str__ = __repr__ = __format__ = __iter__ = harm

class Meta(type):
    __name__ = __module__ = __mro__ = __bases__ = property(harm)
    __instancecheck__ = __subclasscheck__ = __eq__ = __repr__ = __str__ = harm
    __hash__ = type.__hash__

class Full(Exception):
    __str__ = __repr__ = __reduce__ = __reduce_ex__ = __eq__ = __bool__ = __len__ = harm
    __class__ = args = __notes__ = property(harm)
    __hash__ = object.__hash__

class Untouchable:
    __str__ = __repr__ = __iter__ = __len__ = __bool__ = __eq__ = __float__ = __int__ = harm
    __getattr__ = __getattribute__ = __reduce__ = __index__ = __await__ = harm
    __hash__ = object.__hash__

class ByMeta(Exception, metaclass=Meta): pass
class Texts(Exception):
    def __str__(self): return Text("a text")
class Exits(Exception):
    def __str__(self): sys.exit(3)
class Base(BaseException):
    __str__ = __repr__ = harm
class Interrupts(Exception):
    def __str__(self): raise KeyboardInterrupt
class BadRetry(Retry):
    after_s = property(harm)
class TextRetry(Retry):
    after_s = "soon"
class BadReject(Reject):
    __str__ = harm
class BadExit(SystemExit):
    code = property(harm)
class Caused(Exception):
    __cause__ = property(harm)
@dataclass
class Data(Exception):
    field: int = 1

def raise_(error): raise error
"""
RAISED = {
    "Full()": "exception",
    "ByMeta()": "exception",
    "Texts()": "exception",
    "Exits()": "exception",
    "Base()": "exception",
    "Interrupts()": "exception",
    "BadRetry()": "exception",
    "TextRetry()": "exception",
    "BadReject()": "rejected",
    "BadExit()": "exited",
    "SystemExit(Untouchable())": "exited",
    "Caused()": "exception",
    "Data()": "exception",
    "Exception(Untouchable())": "exception",
    "Reject(Untouchable())": "exception",  # it asks whether it was given a reason
    "ExceptionGroup('several', [Full(), Data()])": "exception",
    "KeyError(Untouchable())": "exception",
    "OSError(Untouchable(), Untouchable())": "exception",
    "SyntaxError('wrong', (Untouchable(),) * 4)": "exception",
    "UnicodeDecodeError('x', b'x', 0, 1, Text('x'))": "exception",
}


@pytest.mark.parametrize("isolation", ["process", "thread"])
@pytest.mark.parametrize("raised", RAISED)
def test_an_exception_that_does_harm_when_it_is_looked_at_ends_its_attempt(
    bench, raised, isolation
):
    written = write(f"{HOSTILE}\ndef f(): raise_({raised})", isolation=isolation)

    outcome = bench.run(written)

    assert outcome.status == "failed"
    error = json.loads(outcome.error)
    assert error["type"] == RAISED[raised]
    assert error["message"]
    assert b"runtime/execution" not in outcome.logs


LOOKED_AT = {
    "result": "return Untouchable()",
    "result in a list": "return [Untouchable()]",
    "result of a kind of str": "return Text('x')",
    "event": "ctx.emit(Untouchable())",
    "progress": "ctx.progress(Untouchable())",
    "total": "ctx.progress(1, Untouchable())",
    "message": "ctx.progress(1, 2, Untouchable())",
    "huge progress": "ctx.progress(10**5000)",
    "log": "ctx.log.info(Untouchable())",
    "yielded": "return (item for item in [Untouchable()])",
}


@pytest.mark.parametrize("looked_at", LOOKED_AT)
def test_an_object_that_does_harm_when_it_is_looked_at_ends_its_attempt(make_bench, looked_at):
    bench = make_bench(size=1)
    written = write(f"{HOSTILE}\ndef f(*, ctx: Context):\n    {LOOKED_AT[looked_at]}")

    outcomes = [bench.run(written) for _ in range(2)]

    for outcome in outcomes:
        kind = json.loads(outcome.error)["type"] if outcome.error else "succeeded"
        assert kind in {"exception", "result_not_serializable", "succeeded"}
        assert (outcome.error == b"") == (looked_at == "result of a kind of str")


@pytest.mark.parametrize("isolation", ["process", "thread"])
@pytest.mark.parametrize("raised", ["RateLimited(429)", "Later()", "Soon()", "Timed()", "Called()"])
def test_a_kind_of_retry_asks_for_another_attempt(bench, raised, isolation):
    written = write(
        f"""
        from dataclasses import dataclass
        from datetime import timedelta
        from penstock import Retry
        @dataclass
        class RateLimited(Retry):
            status: int
        class Later(Retry):
            def __init__(self): pass
        class Soon(Retry):
            after_s = "2s"
        class Timed(Retry):
            after_s = timedelta(seconds=2)
        class Called(Retry):
            def __init__(self): super().__init__("later", after=timedelta(seconds=2))
        def f(): raise {raised}
        """,
        isolation=isolation,
    )

    outcome = bench.run(written)

    wanted_ms = 1000 if raised in {"RateLimited(429)", "Later()"} else 2000
    assert (outcome.status, outcome.retry_after_ms) == ("retrying", wanted_ms)
