"""FrameReader: the same frames however the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ChannelGarbledError
from runtime.processes.frames import FrameReader, pack


@given(
    frames=st.lists(st.lists(st.binary(max_size=200), max_size=6), max_size=20),
    cuts=st.lists(st.integers(1, 300), max_size=50),
)
def test_frames_are_put_together_however_they_are_cut(frames, cuts):
    data = b"".join(pack(*frame) for frame in frames)
    reader, arrived = FrameReader(), []

    for size in cuts:
        arrived += reader.feed(data[:size])
        data = data[size:]
    arrived += reader.feed(data)

    assert arrived == frames
    assert reader.missing_bytes == 0


def test_what_is_missing_of_a_frame_is_known():
    reader = FrameReader()

    assert list(reader.feed(pack(b"x") + pack(b"one", b"two")[:-2])) == [[b"x"]]

    assert reader.missing_bytes == 2
    assert list(reader.feed(b"wo")) == [[b"one", b"two"]]


@pytest.mark.parametrize("data", [b"garbage, and no frame", pack(bytes(2_000))])
def test_what_is_no_frame_or_too_long_is_refused(data):
    reader = FrameReader(max_frame_bytes=1_000)

    with pytest.raises(ChannelGarbledError):
        list(reader.feed(data[:100]))
