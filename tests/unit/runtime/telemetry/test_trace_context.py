"""W3C Trace Context: what is read, and what is as if it had not been sent."""

from __future__ import annotations

import pytest

from runtime.telemetry.trace_context import TraceContext, read_trace, read_tracestate

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


def test_a_valid_pair_is_read_as_it_came():
    trace = read_trace(PARENT, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")

    assert trace == TraceContext(PARENT, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
    assert trace.trace_id == TRACE_ID


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "x", PARENT.upper(), PARENT[:-1], PARENT + "-more", f"{PARENT},{PARENT}"),
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-0g",
        f"00-{TRACE_ID}-{SPAN_ID}-zz",
        f"01-{TRACE_ID}-{SPAN_ID}-01more",
    ],
)
def test_a_malformed_traceparent_is_none_and_takes_the_state_with_it(header):
    assert read_trace(header, "a=1") is None


@pytest.mark.parametrize(("flags", "read_as"), [("01", "01"), ("03", "01"), ("02", "00")])
def test_a_later_version_is_read_as_the_one_we_know(flags, read_as):
    trace = read_trace(f"cc-{TRACE_ID}-{SPAN_ID}-{flags}-what-the-future-is-like")

    assert trace is not None
    assert trace.traceparent == f"00-{TRACE_ID}-{SPAN_ID}-{read_as}"


def test_space_around_is_no_part_of_a_header():
    assert read_trace(f" {PARENT}\t", " a=1 , b=2 ") == TraceContext(PARENT, "a=1,b=2")


@pytest.mark.parametrize(
    "header",
    [
        *("a", "=1", "a=", "A=1", "a=1,a=2", "a=1=2", "a=1;é", "a b=1", "-a=1"),
        ",".join(f"k{number}=1" for number in range(33)),
        ",".join(f"k{number}={'v' * 100}" for number in range(6)),
    ],
)
def test_a_malformed_tracestate_leaves_the_traceparent(header):
    assert read_trace(PARENT, header) == TraceContext(PARENT)


def test_tenants_and_empty_members_are_allowed():
    assert read_tracestate("fw529a3039@dt=FfRm,,0a/*-_=x y") == "fw529a3039@dt=FfRm,0a/*-_=x y"
