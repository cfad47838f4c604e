"""Log lines: whole and in order, and nobody waits for whoever reads them."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from runtime.telemetry import log_writer
from runtime.telemetry.log_writer import LogWriter
from tests.support.waiting import allowed, eventually

LINE = "x" * 99 + "\n"


class Reader:
    """The other end of a log: reads nothing until told."""

    def __init__(self, kind: str) -> None:
        if kind == "socket":
            ours, theirs = socket.socketpair()
            self._end, end = ours.detach(), theirs.detach()
        else:
            self._end, end = os.pipe()
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
        self.stream: TextIO = os.fdopen(end, "w")
        self.data = bytearray()
        self._writers: list[LogWriter] = []

    def read(self, size: int) -> None:
        with contextlib.suppress(OSError):  # closed
            while len(self.data) < size and (data := os.read(self._end, 65_536)):
                self.data += data

    def writer(self, on_dropped: Callable[[int], object], **more: int) -> LogWriter:
        made = LogWriter(self.stream, on_dropped=on_dropped, **more)
        self._writers.append(made)
        return made

    def close_all(self) -> None:
        self.close()
        for writer in self._writers:
            writer.finish(5)
            writer.close()
        self.stream.close()

    def close(self) -> None:
        if self._end >= 0:
            os.close(self._end)
            self._end = -1


@pytest.fixture(params=["pipe", "socket", "another user's pipe"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    if request.param == "another user's pipe":

        def refuse(*_: object) -> int:
            raise PermissionError

        monkeypatch.setattr(log_writer.os, "open", refuse)
    made = Reader(request.param)
    yield made
    made.close_all()


def test_who_writes_waits_for_nobody_and_every_line_comes_in_order(reader: Reader):
    dropped: list[int] = []
    writer = reader.writer(dropped.append)
    lines = [f"{number:06} {LINE}" for number in range(5_000)]
    began_at = time.monotonic()

    for line in lines:
        writer.write(line)

    assert time.monotonic() - began_at < allowed(2)
    assert os.get_blocking(reader.stream.fileno()), "other processes write there, too"
    reader.read(sum(map(len, lines)))
    assert reader.data.decode() == "".join(lines)
    eventually(lambda: "log" not in {thread.name for thread in threading.enumerate()})
    writer.write("more\n")
    reader.read(len(reader.data) + 5)
    assert dropped == []


def test_beyond_a_bound_lines_are_left_out_and_that_is_told(reader: Reader):
    reported: list[int] = []
    writer = reader.writer(reported.append, most_bytes=100_000)
    for number in range(9_999):
        writer.write(f"{number:06} {LINE}")

    threading.Thread(target=reader.read, args=(10**9,), daemon=True).start()

    [dropped] = eventually(lambda: reported)
    kept = 9_999 - dropped
    eventually(lambda: len(reader.data) == kept * (len(LINE) + 7))
    assert [int(line[:6]) for line in reader.data.splitlines()] == list(range(kept))


@pytest.mark.parametrize("is_stalled", [True, False])
def test_a_reader_that_goes_away_harms_nobody(reader: Reader, *, is_stalled: bool):
    writer = reader.writer(lambda _: None)
    for _ in range(5_000 if is_stalled else 1):
        writer.write(LINE)

    reader.close()

    writer.write(LINE)
    writer.finish(5)
    writer.write(LINE)
    assert "log" not in {thread.name for thread in threading.enumerate()}


def test_at_the_end_a_moment_is_waited_for_who_reads_slowly(reader: Reader):
    writer = reader.writer(lambda _: None)
    for _ in range(5_000):
        writer.write(LINE)
    writer.finish(0.05)  # nobody reads
    threading.Thread(target=reader.read, args=(5_000 * len(LINE),), daemon=True).start()

    writer.finish(5)

    eventually(lambda: len(reader.data) == 5_000 * len(LINE))


def test_a_full_disk_takes_no_line_and_harms_nobody():
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        writer = LogWriter(full, on_dropped=lambda _: None)
        writer.write(LINE)
        writer.close()


def test_a_file_and_a_stream_in_memory_get_lines_at_once(tmp_path: Path):
    memory = io.StringIO()
    with (tmp_path / "log").open("a+", encoding="utf-8") as file:
        for stream in (memory, file):
            writer = LogWriter(stream, on_dropped=lambda _: None)
            writer.write("é\n")
            writer.write("\udc80\n")
            writer.close()
        assert (tmp_path / "log").read_text(encoding="utf-8") == memory.getvalue() == "é\n\\udc80\n"
