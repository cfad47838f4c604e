"""Whatever comes in as a text or as bytes is read or refused, never anything else.

One target per reader of what strangers write: headers, cursors, keys, addresses, and what a
runner, which user code may have taken over, says to its worker.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.auth.key_check import shown_key
from gateway.parsing.idempotency import read_idempotency_key
from gateway.parsing.pagination import read_cursor, write_cursor
from gateway.parsing.preferences import read_preferences
from gateway.problems import ProblemError
from runtime.access.api_key import generate_key_text, parse_key_text
from runtime.callbacks.ssrf_guard import parse_target
from runtime.errors import CallbackAddressError, ChannelClosedError, SettingsError
from runtime.execution.outcome import Ending
from runtime.execution.worker_codec import decode_ending, encode
from runtime.processes.channel import Channel
from runtime.sdk.durations import parse_duration
from runtime.sdk.option_parsing import parse_rate
from runtime.store.redis_url import parse_address
from runtime.telemetry.trace_context import read_traceparent, read_tracestate

Reader = tuple[Callable[[str], Any], type[Exception] | tuple[type[Exception], ...], str]
READERS: dict[str, Reader] = {
    "Prefer": (read_preferences, ProblemError, "respond-async, wait=10"),
    "Idempotency-Key": (read_idempotency_key, ProblemError, '"8e03978e-40d5";a=1'),
    "Authorization": (shown_key, (), "Basic aGk6cGtfYWJj"),
    "key": (parse_key_text, (), generate_key_text().write()),
    "traceparent": (
        read_traceparent,
        (),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    "tracestate": (read_tracestate, (), "vendor=opaque,other=1"),
    "X-Callback-Url": (parse_target, CallbackAddressError, "https://[::1]:8443/a?b=c"),
    "duration": (parse_duration, ValueError, "1.5h"),
    "rate": (parse_rate, ValueError, "100/5m"),
    "address of Redis": (
        parse_address,
        SettingsError,
        "redis+sentinel://u:p@a:1,[::1]:2/m/0?sentinel_password=x",
    ),
}


@st.composite
def near(draw: st.DrawFn, text: str) -> str:
    """Draw a text that is nearly this one: pieces cut out, doubled, replaced by anything."""
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, len(text)))
    return text[:start] + draw(st.text(max_size=6)) * draw(st.integers(0, 3)) + text[end:]


@pytest.mark.parametrize("name", READERS)
def test_any_text_is_read_or_refused(name: str):
    read, refusal, example = READERS[name]
    read(example)

    @settings(max_examples=100, deadline=None)
    @given(text=st.one_of(st.text(max_size=80), near(example)))
    def never_fails_otherwise(text: str) -> None:
        with contextlib.suppress(refusal):
            read(text)

    never_fails_otherwise()


@settings(max_examples=100)
@given(data=st.data())
def test_a_cursor_that_was_changed_is_none(data: st.DataObject):
    cursor = write_cursor("list?a=1", ("0192", "7"), now_s=1_000_000)
    text = data.draw(near(cursor))

    found = read_cursor("list?a=1", text, now_s=1_000_000)

    assert found is None or found == ("0192", "7")  # base64 has spare bits at its end


def receive(channel: Channel) -> list[bytes] | None:
    """Return the next frame; None when the channel has ended."""
    try:
        return channel.receive(5)
    except ChannelClosedError:
        return None


HEADS = st.builds(
    lambda magic, count, lengths: struct.pack(f"!4sI{len(lengths)}I", magic, count, *lengths),
    st.sampled_from([b"PSF1", b"PSF2", b"GET "]),
    st.one_of(st.integers(0, 4), st.just(2**32 - 1)),
    st.lists(st.one_of(st.integers(0, 40), st.just(2**32 - 1)), max_size=4),
)


@settings(max_examples=100, deadline=None)
@given(said=st.lists(st.one_of(HEADS, st.binary(max_size=60)), max_size=4).map(b"".join))
def test_whatever_a_runner_says_is_frames_or_ends_its_channel(said: bytes):
    ours, theirs = socket.socketpair()
    channel = Channel(ours, max_frame_bytes=1_000)
    with theirs:
        theirs.sendall(said)

    heard = sum(sum(map(len, frame)) for frame in iter(lambda: receive(channel), None))

    channel.close()
    assert heard <= len(said)


ENDING = encode(Ending(kind="succeeded", result_type="json"))


@settings(max_examples=100)
@given(said=st.one_of(st.binary(max_size=60), st.binary(max_size=4).map(ENDING.__add__)))
def test_whatever_a_runner_says_is_an_ending_or_ends_its_channel(said: bytes):
    with contextlib.suppress(ChannelClosedError):
        assert isinstance(decode_ending(said), Ending)
