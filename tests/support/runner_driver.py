"""A real runner that is driven frame by frame, as a worker does: for tests of the child alone."""

from __future__ import annotations

import itertools
import json
import os
import textwrap
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import ChannelClosedError
from runtime.execution import runner_protocol as frames
from runtime.execution.outcome import Ending
from runtime.execution.runner_process import RUNNER_ENTRY
from runtime.execution.runner_protocol import RunnerLimits, Start
from runtime.execution.worker_codec import decode_ending, encode
from runtime.processes.child_control import Exit
from runtime.processes.fork_server import ForkServer
from runtime.processes.frames import pack
from runtime.processes.side_channel import SideChannel
from runtime.registry.bundle import Bundle

MAX_RESULT_BYTES = 2_000_000
MAX_LOG_BYTES = 4_000
MIB = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """How an attempt ended, and when that was read."""

    ending: Ending
    result: bytes
    ran_s: float
    at_s: float

    @property
    def kind(self) -> str:
        return self.ending.kind

    @property
    def value(self) -> object:
        return json.loads(self.result)


class RunnerDriver:
    """One child of a fork server, loaded with one file.

    Attributes:
        answers: By serial, in the order of coming.
        notes: What each attempt has told, by serial: (kind, payload).
        full: The ending of a `full` frame, if one came.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        source: str,
        *,
        memory_bytes: int | None = None,
        loop_stall_s: float = 10.0,
        per_process: int = 100,
    ) -> None:
        self.answers: dict[int, Answer] = {}
        self.notes: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
        self.full: Ending | None = None
        self._per_process = per_process
        self._serials = itertools.count(1)
        self._child = fork_server.spawn(RUNNER_ENTRY, memory_bytes=memory_bytes)
        self._ways = SideChannel()
        self._ways.give(self._child.channel)
        self._source = textwrap.dedent(source)
        sources = {"f.py": self._source.encode()}
        bundle = Bundle(root="/srv/functions", file="f.py", sources=sources)
        limits = RunnerLimits(
            max_result_bytes=MAX_RESULT_BYTES,
            max_log_bytes=MAX_LOG_BYTES,
            loop_stall_s=loop_stall_s,
        )
        self._child.channel.send(frames.LOAD, encode(limits), bundle.encode())
        loaded = self.answer(0)
        assert loaded.kind == "succeeded", loaded.ending

    @property
    def pid(self) -> int:
        return self._child.pid

    def run(self, *, function: str = "f", **options: object) -> int:
        """Send one attempt; return its serial. Other options are its arguments."""
        return self.run_all([options], function=function)[0]

    def do(self, *codes: str) -> list[int]:
        """Run code in attempts of their own, sent at once; of a file with such a function."""
        return self.run_all([{"code": code} for code in codes], function="do")

    def run_all(
        self,
        arguments: Iterable[object],
        *,
        function: str = "f",
        per_process: int = 0,
        timeout_s: float = 60.0,
        request: bytes | None = None,
    ) -> list[int]:
        """Send attempts at once; return their serials."""
        data, serials = [], []
        for one in arguments:
            serial = next(self._serials)
            start = Start(
                serial=serial,
                id=f"i{serial}",
                function=function,
                attempt=1,
                timeout_s=timeout_s,
                has_request=request is not None,
                per_process=per_process or self._per_process,
            )
            parts = encode(start), json.dumps(one).encode(), request or b""
            data.append(pack(frames.RUN, *parts))
            serials.append(serial)
        self.send_raw(b"".join(data))
        return serials

    def stop(self, serial: int, why: bytes = frames.CANCELLED) -> None:
        """Ask one to end."""
        self._child.channel.send(frames.STOP, b"%d" % serial, why)

    def answer(self, serial: int, *, within_s: float = 10.0) -> Answer:
        """Read until this one has been answered; return how it ended."""
        self.read_until(lambda: serial in self.answers, within_s=within_s)
        return self.answers[serial]

    def all(self, serials: Iterable[int], *, within_s: float = 20.0) -> list[Answer]:
        """Read until these have been answered."""
        wanted = list(serials)
        self.read_until(lambda: all(s in self.answers for s in wanted), within_s=within_s)
        return [self.answers[serial] for serial in wanted]

    def log(self, serial: int) -> str:
        """Return what an attempt has printed until now, as it was read."""
        reported = self.notes[serial]
        return b"".join(payload for kind, payload in reported if kind == "log").decode()

    def reported(self, serial: int, kind: str) -> list[object]:
        """Return what it has told of a kind that is JSON."""
        return [json.loads(payload) for is_of, payload in self.notes[serial] if is_of == kind]

    def read_until(self, check: Callable[[], object], *, within_s: float = 10.0) -> None:
        """Read frames until something is so.

        Raises:
            ChannelClosedError: The runner is gone.
            TimeoutError: Not in time.
        """
        deadline = time.monotonic() + within_s
        while not check():
            self._receive(self._child.channel.receive(deadline - time.monotonic()))

    def await_end(self, *, within_s: float = 10.0) -> Exit | None:
        """Read what the runner still says, until it is gone; return how it ended."""
        try:
            self.read_until(lambda: False, within_s=within_s)
        except ChannelClosedError:
            return self._child.wait(within_s)
        raise AssertionError("unreachable")

    def executing(self) -> set[int]:
        """Return whose code the runner executes."""
        return self._ways.page.executing()

    def source_line(self, number: int) -> str:
        """Return a line of the file that it has loaded."""
        return self._source.splitlines()[number - 1]

    def is_asleep(self) -> bool:
        """Whether none of its threads runs or is about to."""
        states = [
            task.read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{self.pid}/task").glob("*/stat")
        ]
        return set(states) == {"S"}

    def resident_bytes(self) -> int:
        """Return how much memory it holds."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )

    def hang_up(self) -> None:
        """Close the channel, as a worker that ends does."""
        self._child.channel.close()

    def send_raw(self, data: bytes) -> None:
        """Send what may be no frame."""
        os.write(self._child.channel.fileno(), data)

    def close(self) -> None:
        """Kill what is left."""
        self._child.close()
        self._ways.close()

    def _receive(self, frame: list[bytes]) -> None:
        kind = frame[0]
        if kind == frames.DONE:
            _, serial, ending, result, took_us = frame
            assert int(serial) not in self.answers, "answered twice"
            self.answers[int(serial)] = Answer(
                decode_ending(ending), result, int(took_us) / 1e6, time.monotonic()
            )
        elif kind == frames.FULL:
            self.full = decode_ending(frame[1])
        else:
            assert kind in frames.EVENTS, kind
            assert int(frame[1]) not in self.answers or frame[1] == b"0", "told after its answer"
            self.notes[int(frame[1])].append((kind.decode(), frame[2]))
