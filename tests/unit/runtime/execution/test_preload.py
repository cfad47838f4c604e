"""What fork servers do before they fork: after it, a file's first load imports nothing of ours."""

from __future__ import annotations

import subprocess
import sys

from runtime.settings import read_environment

CHILD = """
import asyncio, sys
import runtime.execution.runner_main, runtime.execution.preload
from runtime.registry.bundle import Bundle
from runtime.registry.loading import load

source = b'''
import asyncio
from penstock import Context

async def greet(name: str, times: int = 2, *, ctx: Context) -> dict[str, list[str]]:
    return {"greetings": [name] * times}
'''
before, finders = set(sys.modules), len(sys.meta_path)
load(Bundle(root="functions", file="greet.py", sources={"greet.py": source}))
print(sorted(set(sys.modules) - before), len(sys.meta_path) - finders)
try:
    asyncio.get_event_loop_policy().get_event_loop()
except RuntimeError:
    print("no event loop")
"""


def test_after_warming_a_file_loads_without_further_imports_and_nothing_is_left():
    reported = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD],
        env=read_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert reported.stdout.splitlines() == ["['functions', 'functions.greet'] 1", "no event loop"]
