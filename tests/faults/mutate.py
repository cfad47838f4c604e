"""Takes the promises out of the code, one at a time, and writes down which tests notice.

    python -m tests.faults.mutate

Each mutation is made in a copy of the project, never here; what it breaks stands in
`mutations.md`, which is a part of `docs/reliability.md`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from runtime.settings import read_environment

ROOT = Path(__file__).parents[2]
PAGE = Path(__file__).with_name("mutations.md")
LUA = "runtime/store/lua"
AT_ONCE = 2
LIMIT_S = 1_500
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?:\[.*)?(?: - .*)?$", re.MULTILINE)
_SHOWN = 6

ENDINGS = (
    "tests/integration/store/test_invocation_life.py",
    "tests/integration/store/test_against_a_model.py",
    "tests/faults/test_doubled_messages.py",
)
KILLS = "tests/e2e/test_kills.py"
CUT_OFF = "tests/faults/test_cut_off_workers.py"
POISON = "tests/faults/test_poison.py"
GUARD = ("tests/unit/runtime/callbacks", "tests/integration/callbacks/test_connecting.py")
LOGGED = "            log_ended(batch, replies)"
WRITTEN_LATER = """\
            for _, settlement in batch:
                key = self._connection.keys.build("record", settlement.id)
                words = ("HSET", key, "status", settlement.status)
                self._connection.run(Command(words, lambda reply: reply), lambda _: None)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One promise, how it is broken, and the tests that should see it."""

    promise: str
    change: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        promise="the fencing check of settle",
        change="an ending is taken whatever its token is",
        edits=(
            (
                f"{LUA}/settle_invocations.lua",
                "if f[1] ~= 'running' or not is_holder then",
                "if not f[1] then",
            ),
        ),
        tests=(*ENDINGS, CUT_OFF),
    ),
    Mutation(
        promise="the lease: take-over",
        change="nothing is taken over",
        edits=(
            (
                f"{LUA}/recover_invocations.lua",
                "ZRANGEBYSCORE', key_leases(), '-inf', now,",
                "ZRANGEBYSCORE', key_leases(), '-inf', 0,",
            ),
        ),
        tests=(*ENDINGS, KILLS, CUT_OFF),
    ),
    Mutation(
        promise="the lease: renewal",
        change="a heartbeat does not extend the leases of what its worker holds",
        edits=(
            (
                f"{LUA}/heartbeat.lua",
                "in_pieces('ZADD', key_leases(), extended)",
                "",
            ),
        ),
        tests=(*ENDINGS, CUT_OFF),
    ),
    Mutation(
        promise="the guard's judgement after resolution",
        change="only addresses written as such are judged, not what names resolve to",
        edits=(
            (
                "runtime/callbacks/ssrf_guard.py",
                "if not (allowed_by_name or _is_allowed(address, policy)):",
                "if text == target.host and not (allowed_by_name or _is_allowed(address, policy)):",
            ),
        ),
        tests=GUARD,
    ),
    Mutation(
        promise="the one script that finishes",
        change="the status is written by a command of its own after the script",
        edits=(
            (
                f"{LUA}/include/finish_record.lua",
                "redis.call('HSET', record, 'status', status, 'finished_at'",
                "redis.call('HSET', record, 'finished_at'",
            ),
            ("runtime/broker/settler.py", LOGGED, WRITTEN_LATER + LOGGED),
        ),
        tests=(*ENDINGS, KILLS, POISON),
    ),
)


def main() -> None:
    """Try every mutation and write the section."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        caught = list(pool.map(_caught_by, MUTATIONS))
    rows = [_row(mutation, tests) for mutation, tests in zip(MUTATIONS, caught, strict=True)]
    PAGE.write_text(
        "## Mutations\n\n"
        "What the tests are worth: each promise was taken out of a copy of the code, one at a\n"
        "time, and these tests failed (`python -m tests.faults.mutate`).\n\n"
        "| taken out | how | caught by |\n|---|---|---|\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


def _caught_by(mutation: Mutation) -> list[str]:
    """Return the tests that fail on a copy with the mutation."""
    with tempfile.TemporaryDirectory(prefix="penstock-mutation-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(
            ROOT,
            copy,
            symlinks=True,
            ignore=shutil.ignore_patterns(".git", ".*_cache", ".penstock"),
        )
        for name, old, new in mutation.edits:
            text = (copy / name).read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{name} has changed: {old}"
            (copy / name).write_text(text.replace(old, new), encoding="utf-8")
        answer = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("-m", "faults or not faults", *mutation.tests),
            ],
            cwd=copy,
            env=read_environment() | {"PYTHONPATH": str(copy)},
            capture_output=True,
            check=False,
            text=True,
            timeout=LIMIT_S,
        )
    found = list(dict.fromkeys(_FAILED.findall(answer.stdout)))
    sys.stdout.write(f"{mutation.promise}: {len(found)}\n  " + "\n  ".join(found) + "\n")
    sys.stdout.flush()
    return found


def _row(mutation: Mutation, tests: list[str]) -> str:
    """Return a row; scenarios come first, then as many others as fit."""
    ordered = sorted(tests, key=lambda name: "tests/faults" not in name)
    shown = [f"`{name.rpartition('/')[2]}`" for name in ordered[:_SHOWN]]
    rest = len(tests) - len(shown)
    reported = ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
    return f"| {mutation.promise} | {mutation.change} | {reported or '**nothing**'} |"


if __name__ == "__main__":
    main()
