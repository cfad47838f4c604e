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
    assert reader.take_rest() == b""
    assert reader.missing_bytes == 0


def test_the_beginning_of_a_frame_can_be_taken_over():
    whole = pack(b"one", b"two")
    reader = FrameReader()
    assert list(reader.feed(pack(b"x") + whole[:-2])) == [[b"x"]]
    assert reader.missing_bytes == 2

    assert reader.take_rest() == whole[:-2]

    assert list(reader.feed(pack(b"y"))) == [[b"y"]]


@pytest.mark.parametrize("data", [b"garbage, and no frame", pack(bytes(2_000))])
def test_what_is_no_frame_or_too_long_is_refused(data):
    reader = FrameReader(max_frame_bytes=1_000)

    with pytest.raises(ChannelGarbledError):
        list(reader.feed(data[:100]))
