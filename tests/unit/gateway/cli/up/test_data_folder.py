"""The data folder: private, locked, keeper of the callback secret."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.up.data_folder import (
    UpState,
    keep_callback_secret,
    lock_data_folder,
    make_data_folder,
    read_state,
    remove_state,
    write_state,
)


def test_a_new_folder_is_for_us_only(tmp_path: Path):
    data = tmp_path / "deep" / "data"

    make_data_folder(data)

    assert data.stat().st_mode & 0o777 == 0o700
    assert list(data.iterdir()) == []


def test_a_file_in_its_place_is_told_in_a_sentence(tmp_path: Path):
    data = tmp_path / "data"
    data.touch()

    with pytest.raises(CommandError, match="a file in its place") as caught:
        make_data_folder(data)

    assert caught.value.exit_code == ExitCode.CANNOT_START


def test_a_second_lock_is_refused_with_the_address_of_the_first(tmp_path: Path):
    first = lock_data_folder(tmp_path)
    write_state(tmp_path, UpState(url="http://127.0.0.1:1234", pid=os.getpid()))

    with pytest.raises(CommandError, match=r"already runs .* at http://127.0.0.1:1234"):
        lock_data_folder(tmp_path)

    os.close(first)
    os.close(lock_data_folder(tmp_path))


def test_the_secret_is_made_once_and_is_for_us_only(tmp_path: Path):
    secret, path = keep_callback_secret(tmp_path)
    again, _ = keep_callback_secret(tmp_path)

    assert again == secret
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_state_file_of_the_dead_counts_as_none(tmp_path: Path):
    dead = os.fork()
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)

    write_state(tmp_path, UpState(url="http://127.0.0.1:1", pid=dead))

    assert read_state(tmp_path) is None


def test_a_state_file_is_read_back_until_it_is_removed(tmp_path: Path):
    state = UpState(url="http://127.0.0.1:1", pid=os.getpid(), parts={"redis": 5})

    write_state(tmp_path, state)
    found = read_state(tmp_path)
    remove_state(tmp_path)
    remove_state(tmp_path)

    assert found == state
    assert read_state(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"url": 1}'])
def test_a_damaged_state_file_counts_as_none(tmp_path: Path, text):
    (tmp_path / "up.json").write_text(text, encoding="utf-8")

    assert read_state(tmp_path) is None
