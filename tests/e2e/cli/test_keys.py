"""`penstock keys` before anything runs, beside what runs, and from afar; `up` for others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gateway.cli.errors import ExitCode
from runtime.access.api_key import parse_key_text
from tests.support.commands import penstock
from tests.support.redis_server import own_redis
from tests.support.system import running_system


def create_key(*flags: str | Path, environment: dict[str, str] | None = None) -> dict[str, Any]:
    answer = penstock("keys", "create", "--json", *flags, environment=environment)
    assert answer.returncode == 0, answer.stderr
    made: dict[str, Any] = json.loads(answer.stdout)
    return made


def listed_keys(
    *flags: str | Path, environment: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    answer = penstock("keys", "ls", "--json", *flags, environment=environment)
    assert answer.returncode == 0, answer.stderr
    items: list[dict[str, Any]] = json.loads(answer.stdout)["items"]
    return items


def test_the_first_key_is_made_before_anything_runs_and_opens_a_bind_for_others(tmp_path: Path):
    data = ("--data", tmp_path / "data")
    first = create_key("--name", "root", "--scope", "admin", *data)

    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "hello.py").write_text("def hello(): ...\n", encoding="utf-8")

    with running_system(tmp_path, "--host", "0.0.0.0") as system:
        away = {"PENSTOCK_KEY": first["key"]}
        url = ("--url", system.base_url)
        from_afar = create_key(
            *("--name", "shop", "--scope", "invoke:hello", "--scope", "read"),
            *("--rate", "100/m", "--expires", "90d", *url),
            environment=away,
        )
        beside = create_key("--name", "desk", "--scope", "read", *data)
        seen = {item["id"]: item for item in listed_keys(*url, environment=away)}
        without_key = penstock("ls", *url)
        with_key = penstock("ls", *url, environment={"PENSTOCK_KEY": beside["key"]})
        refused = penstock("keys", *url, environment={"PENSTOCK_KEY": beside["key"]})
        revoked = penstock("keys", "revoke", beside["id"], "nobody", *url, environment=away)
        after = penstock("ls", *url, environment={"PENSTOCK_KEY": beside["key"]})
        log = system.read_log()

    assert parse_key_text(first["key"]) is not None
    assert seen.keys() == {first["id"], from_afar["id"], beside["id"]}
    shop = seen[from_afar["id"]]
    assert (shop["name"], shop["scopes"]) == ("shop", ["invoke:hello", "read"])
    assert (shop["rate"], shop["expired"]) == ("100/m", False)
    assert shop["expires_at"] > shop["created_at"]
    assert without_key.returncode == ExitCode.REFUSED
    assert "PENSTOCK_KEY" in without_key.stderr
    assert with_key.returncode == ExitCode.OK
    assert "lacks the scope `admin`" in refused.stderr
    assert (revoked.returncode, revoked.stdout) == (ExitCode.REFUSED, f"{beside['id']} revoked\n")
    assert "nobody: No API key has the id" in revoked.stderr
    assert after.returncode == ExitCode.REFUSED
    assert "keys       required" in log
    assert first["key"] not in log
    assert [item["name"] for item in listed_keys(*data)] == ["root", "shop"]


def test_what_is_wrong_with_a_key_is_one_sentence(tmp_path: Path):
    with own_redis(tmp_path) as url:
        environment = {"PENSTOCK_REDIS": url}
        flags = ("keys", "create", "--name", "Shop", "--scope", "fly", "--rate", "fast")

        answer = penstock(*flags, environment=environment)
        unknown = penstock("keys", "revoke", "nobody", environment=environment)

        assert listed_keys(environment=environment) == []
    assert answer.returncode == ExitCode.REFUSED
    assert answer.stdout == ""
    [sentence] = answer.stderr.splitlines()
    assert "/name: takes a name" in sentence
    assert "/scopes/0: 'fly' is not a scope" in sentence
    assert "/rate: takes a count per time" in sentence
    assert unknown.returncode == ExitCode.REFUSED
