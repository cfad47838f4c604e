"""Functions of which a hundred run at the same time in one runner process, seen from outside."""

from __future__ import annotations

SOURCE = '''
"""A crowd of calls, of which one may do harm."""

import asyncio
import contextlib
import os
import sys
import threading
import time

from _witness import note
from penstock import Context, function

KEPT = []


@function(timeout="60s")
async def rest(number: int, pause_s: float = 0.3, *, ctx: Context) -> int:
    note("+", ctx)
    await asyncio.sleep(pause_s)
    note("-", ctx)
    return number


@function(timeout="3s", memory="256MB")
async def crowd(number: int, harm: str = "", *, ctx: Context) -> int:
    note("+", ctx)
    await asyncio.sleep(0.5)
    if harm:
        await HARMS[harm]()
    note("-", ctx)
    return number


@function(timeout="2s", per_process=500)
async def endless(number: int, *, ctx: Context) -> None:
    note("+", ctx)
    await asyncio.sleep(600)


async def block() -> None:
    time.sleep(600)


async def exit_python() -> None:
    sys.exit(3)


async def exit_process() -> None:
    os._exit(3)


async def eat() -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


async def start_threads() -> None:
    for _ in range(50):
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


async def swallow() -> None:
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(600)


async def leave_tasks() -> None:
    KEPT.extend(asyncio.create_task(swallow()) for _ in range(10))
    await asyncio.sleep(0)


HARMS = {
    "block": block,
    "exit": exit_python,
    "os._exit": exit_process,
    "memory": eat,
    "threads": start_threads,
    "swallow": swallow,
    "tasks": leave_tasks,
}
'''
# How the harmful call ends: its status, and the type of its error.
ENDS = {
    "block": ("failed", "timeout"),
    "exit": ("failed", "exited"),
    "os._exit": ("failed", "exited"),
    "memory": ("failed", "out_of_memory"),
    "threads": ("succeeded", None),
    "swallow": ("failed", "timeout"),
    "tasks": ("succeeded", None),
}
FUNCTIONS = {"crowds": SOURCE}
