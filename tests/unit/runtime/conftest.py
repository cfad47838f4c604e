"""A loop of either kind, and two ends of a connection for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from runtime import loop as loop_module
from runtime.loop import Loop


@pytest.fixture(params=["epoll", "poll"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    if request.param == "poll":  # as on a system that has no epoll
        monkeypatch.delattr(loop_module.select, "epoll", raising=False)
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()
