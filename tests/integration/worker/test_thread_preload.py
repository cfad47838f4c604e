"""A worker loads what the thread lane needs when a function of it is published, not before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.sdk.options import Options
from runtime.settings import read_environment
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

LOOKING = """
import sys
from tests.support.upkeeping import keeping_up, thread_preload

with keeping_up(sys.argv[1], thread_preload):
    for _ in sys.stdin:
        print("pydantic" in sys.modules and "runtime.registry.loading" in sys.modules, flush=True)
"""


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with own_redis(tmp_path) as url:
        yield url


def publish_with_options(url: str, name: str, options: Options) -> None:
    manifest = Manifest(name=name, version="v1", file=f"{name}.py", options=options)
    publish_encoded(url, name, encode_manifest(manifest))


def publish_encoded(url: str, name: str, manifest: bytes) -> None:
    connection = BlockingConnection(url)
    connection.run(publish_function(name, manifest=manifest, version="v1", source=b""))
    connection.close()


def test_it_loads_what_the_lane_needs_once_a_function_of_it_is_published(redis_url: str):
    publish_encoded(redis_url, "of_another_release", b'{"options": {"isolation": 5}}')
    publish_with_options(redis_url, "own_process", Options())
    with subprocess.Popen(
        [sys.executable, "-c", LOOKING, redis_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=read_environment(),
        text=True,
    ) as looking:
        assert looking.stdin
        assert looking.stdout
        ask, answers = looking.stdin, looking.stdout

        def is_loaded() -> bool:
            ask.write("?\n")
            ask.flush()
            return answers.readline() == "True\n"

        before = is_loaded()
        publish_with_options(redis_url, "in_a_thread", Options(isolation="thread"))
        eventually(is_loaded, within_s=10, every_s=0.1)
        ask.close()

    assert not before
    assert looking.returncode == 0
