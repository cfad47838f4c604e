"""Calls on a worker's loop, and what was answered."""

from __future__ import annotations

from runtime.loop import Loop
from runtime.store.scripts import Command
from tests.support.life import Life
from tests.support.loop_thread import turn_until

PING: Command[bytes] = Command(("PING",), lambda reply: reply)


def call(*words: str | int) -> Command[object]:
    return Command(words, lambda reply: reply)


class Heard(list):
    """What was answered, in order."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def wait(self, count: int = 1, *, within_s: float = 5.0) -> list:
        turn_until(self._loop, lambda: len(self) >= count, within_s=within_s)
        return self


def kill_others(life: Life) -> None:
    life.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
