"""Choosing the Redis to embed, and the place of its socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.errors import CommandError
from gateway.cli.up import embedded_redis
from gateway.cli.up.embedded_redis import (
    LONGEST_SOCKET_PATH_BYTES,
    Server,
    find_server,
    prepare_folder,
    socket_path,
)


def install(folder: Path, name: str, version: str) -> None:
    """Put a program there that says it is a Redis of that version."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho 'Redis server v={version} bits=64'\n", encoding="utf-8")
    program.chmod(0o755)


def test_an_installed_server_is_taken_when_new_enough(tmp_path: Path):
    install(tmp_path, "redis-server", "7.2.5")

    server = find_server(str(tmp_path))

    assert server == Server(program=str(tmp_path / "redis-server"), version=(7, 2))


def test_a_server_that_is_too_old_gives_way_to_the_next(tmp_path: Path):
    install(tmp_path, "redis-server", "5.0.7")
    install(tmp_path, "valkey-server", "8.0.1")

    assert find_server(str(tmp_path)).program == str(tmp_path / "valkey-server")


def test_without_any_the_sentence_says_what_was_found(tmp_path: Path, monkeypatch):
    install(tmp_path, "redis-server", "6.0.16")
    monkeypatch.setattr(embedded_redis.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(CommandError, match=r"6\.2 or newer .*redis-server is 6\.0"):
        find_server(str(tmp_path))


def test_a_program_that_is_no_redis_is_passed_over(tmp_path: Path):
    (tmp_path / "redis-server").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (tmp_path / "redis-server").chmod(0o755)
    install(tmp_path, "valkey-server", "7.2.0")

    assert find_server(str(tmp_path)).version == (7, 2)


def test_the_folder_is_private_and_newer_data_are_not_given_to_an_older_redis(tmp_path: Path):
    new, old = (Server(program="r", version=version) for version in ((7, 0), (6, 2)))

    folder = prepare_folder(tmp_path, old)
    (folder / "appendonlydir").mkdir()

    assert folder.stat().st_mode & 0o777 == 0o700
    assert prepare_folder(tmp_path, new) == folder
    with pytest.raises(CommandError, match="cannot read"):
        prepare_folder(tmp_path, old)


def test_the_socket_is_in_the_folder_unless_the_path_is_too_long(tmp_path: Path):
    long = tmp_path / ("x" * LONGEST_SOCKET_PATH_BYTES)

    near, far = socket_path(tmp_path), socket_path(long, tmp_path)

    assert near == tmp_path / "redis.sock"
    assert far.parent.parent == tmp_path
    assert far.parent.stat().st_mode & 0o777 == 0o700
    assert socket_path(long, tmp_path) == far


def test_a_socket_folder_that_others_may_enter_is_refused(tmp_path: Path):
    long = tmp_path / ("x" * LONGEST_SOCKET_PATH_BYTES)
    socket_path(long, tmp_path).parent.chmod(0o755)

    with pytest.raises(CommandError, match="not a private folder"):
        socket_path(long, tmp_path)
