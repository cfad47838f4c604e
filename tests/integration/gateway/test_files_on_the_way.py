"""From the socket to the script a call enters few files, and ARCHITECTURE.md draws just those."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from types import FrameType

from gateway.app import create
from gateway.serving.dispatch import HeadCache
from runtime.registry.manifest_codec import encode_manifest
from runtime.settings import Settings
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from tests.integration.gateway.test_calls_that_wait import ECHO, Client, living
from tests.support.api_keys import make_key

ROOT = Path(__file__).parents[3]
MODULE = "tests.integration.gateway.test_files_on_the_way"
MOST = 20
LAST = "runtime/store/async_connection.py"


class Files:
    """Notes the project's own files in the order in which they are entered, up to the script."""

    def __init__(self) -> None:
        self.entered: list[str] = []

    def note(self, frame: FrameType, event: str, _: object) -> None:
        path = frame.f_code.co_filename
        if event != "call" or not path.startswith(f"{ROOT}/"):
            return
        name = path.removeprefix(f"{ROOT}/")
        if not name.startswith(("gateway/", "runtime/")) or LAST in self.entered:
            return
        if name not in self.entered:
            self.entered.append(name)


def drawn() -> list[str]:
    """The files in the drawing, in its order."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("between the socket and ①:\n\n```\n")
    drawing, _, _ = rest.partition("```")
    lines = [re.split(r" {2,}", line.strip())[0] for line in drawing.splitlines()]
    steps = [step.strip() for line in lines for step in line.split("→")]
    return [step for step in steps if re.fullmatch(r"[a-z_/]+", step)]


def trace(redis_url: str, shown: str) -> None:
    """Print the answer and the files of one call; in a process of its own, which it profiles."""
    files = Files()

    async def scenario() -> bytes:
        application = create(Settings(redis=redis_url, auth="required"))
        async with living(application):
            client = Client(application, HeadCache())
            for _ in range(2):  # from now on the key, the head and the plan are known
                client.call("wait=0", f"Authorization: {shown}\r\n")
                await client.answer()
            client.written = b""
            sys.setprofile(files.note)
            try:
                client.call("wait=0", f"Authorization: {shown}\r\n")
                return await client.answer()
            finally:
                sys.setprofile(None)

    answer = asyncio.run(scenario())
    print(json.dumps([answer.decode(), files.entered]))  # noqa: T201 - its parent reads it


def test_a_call_with_a_key_enters_few_files_on_its_way_to_the_script(
    redis_url: str, connection: BlockingConnection
) -> None:
    connection.run(
        publish_function("echo", manifest=encode_manifest(ECHO), version="v1", source=b"")
    )
    shown = make_key(connection, "ada", "admin").headers["Authorization"]

    child = subprocess.run(
        [sys.executable, "-m", MODULE, redis_url, shown],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )

    answer, entered = json.loads(child.stdout.splitlines()[-1])
    assert answer.startswith("HTTP/1.1 202 Accepted")
    assert entered[0] == "gateway/serving/connection.py"
    assert entered[-1] == LAST
    assert len(entered) <= MOST, entered
    steps = drawn()
    assert len(steps) == len(entered)
    assert all(any(name.endswith(f"/{step}.py") for name in entered) for step in steps)


if __name__ == "__main__":
    trace(*sys.argv[1:])
