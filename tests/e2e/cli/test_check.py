"""`penstock check`, as a person runs it."""

from __future__ import annotations

import json

from gateway.cli.errors import ExitCode
from runtime.store.redis_keys import Keys
from tests.support.commands import penstock
from tests.support.system import System

KEYS = Keys()


def test_a_check_says_what_does_not_fit_and_mends_it(system: System):
    index = KEYS.build("index", "end:succeeded")
    assert system.call("hello", wait_s=20).status_code == 200
    clean = penstock("check", "--url", system.base_url)
    system.run_command("ZADD", index, 0, "gone")

    found = penstock("check", "--url", system.base_url)
    mended = penstock("check", "--repair", "--json", "--url", system.base_url)
    again = penstock("check", "--url", system.base_url)

    assert clean.returncode == ExitCode.OK, clean.stdout
    assert clean.stdout.startswith("No inconsistencies: ")
    assert found.returncode == ExitCode.FAILED
    assert "stray_in_index" in found.stdout
    assert "penstock check --repair" in found.stderr
    assert mended.returncode == ExitCode.OK
    assert json.loads(mended.stdout)["found"] == {"stray_in_index": 1}
    assert json.loads(mended.stdout)["left"] == {}
    assert again.returncode == ExitCode.OK
    assert system.run_command("ZSCORE", index, "gone") is None
