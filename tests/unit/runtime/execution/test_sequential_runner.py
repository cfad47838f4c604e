"""SequentialRunner: after attempts were withdrawn, no ticket of later ones is taken for them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from runtime.execution.sequential_runner import SequentialRunner
from runtime.processes.channel import Channel
from runtime.processes.side_channel import ChildSideChannel, SideChannel

WINDOW = 32


@pytest.fixture
def runner() -> Iterator[SimpleNamespace]:
    """Stands for a runner: `child` has its end of the real side channel, nobody reads frames."""
    left, right = socket.socketpair()
    owner, child = Channel(left), Channel(right)
    ways = SideChannel()
    ways.give(owner)
    theirs = ChildSideChannel.take(child)
    assert theirs is not None
    yield SimpleNamespace(
        runs={}, doomed={}, process=Mock(ways=ways), loop=Mock(), owner=Mock(), child=theirs
    )
    theirs.close()
    ways.close()
    owner.close()
    child.close()


@pytest.fixture
def mode(runner: SimpleNamespace) -> SequentialRunner:
    made = SequentialRunner(runner)
    made.window = WINDOW
    return made


def make_runs(count: int) -> list[Mock]:
    return [Mock(tries=0, **{"frame.return_value": b"frame"}) for _ in range(count)]


def answer(mode: SequentialRunner, runner: SimpleNamespace, *runs: Mock) -> None:
    for run in runs:
        del runner.runs[run.serial]
        mode.answered(run)


def test_an_answer_that_a_later_one_overtakes_tells_nothing_of_withdrawn_frames(
    mode: SequentialRunner, runner: SimpleNamespace
):
    """The last of a burst is answered over the channel, what follows by the pipe, read first."""
    first, second = make_runs(WINDOW), make_runs(WINDOW)
    mode.send(first)
    mode.send(second)
    begun = [*first, *second[:17]]
    assert all(runner.child.take_ticket() for _ in begun)

    assert mode.take_back() == second[17:]
    answer(mode, runner, *first[:-1], *second[:17], first[-1])

    assert mode.room() == 1  # alone: the frames of those withdrawn may not have been read
    [lone] = make_runs(1)
    mode.send([lone])
    assert not runner.child.take_ticket()
    answer(mode, runner, lone)
    assert mode.room() == WINDOW
