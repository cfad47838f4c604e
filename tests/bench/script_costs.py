"""What the scripts of a call's life cost Redis, by what the call asks for.

    python -m tests.bench.script_costs [--rounds 40] [--tree FOLDER] [--kind keyed] [--group 32]

A Redis of its own, one connection. Calls are submitted, claimed and settled in groups; the
server's slow log says what each script took. Figures are microseconds of Redis for each call, the
mean of the quicker half of all scripts, so that other work on the machine hardly shows. Where the
tree of another version is named its scripts take turns with these: both must take the same
arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.invocations.ids import new_invocation_id
from runtime.store.access_commands import StoredKey, create_key
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import Settlement, claim, settle
from runtime.store.scripts import Command, Script, load_script
from runtime.store.submission_commands import Idempotency, Parts, parts_of, submit
from tests.support.redis_server import own_redis

ARGUMENTS = b'{"name":"Ada"}'
RESULT = b'"Hello, Ada!"'
WEEK_MS = 7 * 24 * 3_600_000
SCRIPTS = ("submit_invocations", "claim_invocations", "settle_invocations")
_CALLS_IN_TURN = 64
_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_KEY = {"api_key": "key1", "fields": {"caller": "team"}}
_TRACED = {"api_key": "key1", "fields": {"caller": "team", "traceparent": _TRACEPARENT}}
_SENT_BACK = {"caller": "team", "callback": "https://example.com/hook"}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "keyed": _KEY,
    "keyed, traced": _TRACED,
    "keyed, traced, idempotent": {**_TRACED, "first": True},
    "keyed, ?priority=7": {**_KEY, "priority": 7},
    "keyed, callback": {"api_key": "key1", "fields": _SENT_BACK},
    "all of it": {
        "api_key": "key1",
        "fields": {**_SENT_BACK, "traceparent": _TRACEPARENT, "tracestate": "a=b"},
        "first": True,
        "priority": 7,
        "key": "k",
        "tags": ("t",),
    },
}
_DUMP = """
import json, sys
from runtime.store.scripts import load_script
scripts = map(load_script, sys.argv[1:])
json.dump({script.name: [script.source, script.sha] for script in scripts}, sys.stdout)
"""


class Scripts:
    """The scripts of one tree."""

    def __init__(self, tree: str) -> None:
        self.name = Path(tree).name
        reported = subprocess.run(
            [sys.executable, "-c", _DUMP, *SCRIPTS],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": tree},  # noqa: TID251 - whose runtime is measured
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        self._scripts = {
            name: Script(name, load_script(name).argv, source, sha)
            for name, (source, sha) in json.loads(reported).items()
        }
        self.names = {script.sha.encode(): name for name, script in self._scripts.items()}

    def own(self, call: Command[Any]) -> Command[Any]:
        """Return a call by this tree's script of that name."""
        assert call.script is not None
        return Command(call.words, call.parse, self._scripts[call.script.name])


class MeasuredLife:
    """Submits, claims and settles calls, and asks what that cost."""

    def __init__(self, url: str) -> None:
        self._connection = BlockingConnection(url)

    def measure(
        self, trees: Sequence[Scripts], kind: str, group: int, rounds: int, *, waits: bool
    ) -> list[Mapping[str, float]]:
        """Return the microseconds of Redis for a call, by tree and script."""
        took: list[dict[str, list[int]]] = [{name: [] for name in SCRIPTS} for _ in trees]
        for _ in range(rounds):
            for scripts, figures in zip(trees, took, strict=True):
                self._begin_anew()
                for _ in range(_CALLS_IN_TURN // group):
                    self._run(scripts, kind, group, waits=waits)
                self._note(scripts, figures)
        return [
            {name: _quick(figures) / group for name, figures in of_tree.items()} for of_tree in took
        ]

    def _run(self, scripts: Scripts, kind: str, group: int, *, waits: bool) -> None:
        entries = [(new_invocation_id(), ARGUMENTS, _parts(kind)) for _ in range(group)]
        self._connection.run(
            scripts.own(
                submit(
                    function="f",
                    queue="default",
                    version="v1",
                    waiter="gateway-1" if waits else "",
                    entries=entries,
                )
            )
        )
        claimed = self._connection.run(
            scripts.own(claim(queue="default", worker="worker-1", limit=group, lease_ms=30_000))
        )
        endings = [
            Settlement(
                id=one.id, token=one.token, status="succeeded", ttl_ms=WEEK_MS, result=RESULT
            )
            for one in claimed.items
        ]
        replies = self._connection.run(scripts.own(settle(endings, worker="worker-1")))
        if replies != ["DONE"] * group:
            raise RuntimeError(f"{kind}: {replies}")

    def _begin_anew(self) -> None:
        self._command("FLUSHALL")
        key = StoredKey(id="key1", name="team", digest="d", scopes=("admin",))
        self._connection.run(
            create_key(key, lifetime_ms=0, callback_secret="s", replaces_secret=False)
        )
        self._command("CONFIG", "SET", "slowlog-max-len", "1024")
        self._command("CONFIG", "SET", "slowlog-log-slower-than", "0")
        self._command("SLOWLOG", "RESET")

    def _note(self, scripts: Scripts, figures: Mapping[str, list[int]]) -> None:
        for entry in self._command("SLOWLOG", "GET", "-1"):
            words = entry[3]
            name = scripts.names.get(words[1]) if len(words) > 1 else None
            if name is not None and words[0].upper() == b"EVALSHA":
                figures[name].append(entry[2])

    def _command(self, *words: str) -> Any:
        return self._connection.run(Command(words, lambda reply: reply))


def _quick(figures: Sequence[int]) -> float:
    """Return the mean of the quicker half."""
    quick = sorted(figures)[: max(1, len(figures) // 2)]
    return sum(quick) / len(quick)


def _parts(kind: str) -> Parts:
    asked = dict(KINDS[kind])
    if asked.pop("first", False):
        digest = new_invocation_id().replace("-", "")
        asked["idempotency"] = Idempotency(digest=digest, body_digest=digest)
    return parts_of(**asked)


def main() -> None:
    """Measure as the flags say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--tree", action="append", default=[])
    parser.add_argument("--kind", action="append", choices=tuple(KINDS))
    parser.add_argument("--group", action="append", type=int)
    flags = parser.parse_args()
    here = str(Path(__file__).resolve().parents[2])
    trees = [Scripts(tree) for tree in (here, *flags.tree)]
    heading = "".join(f"{name.partition('_')[0]:>9}" for name in SCRIPTS)
    sys.stdout.write(f"{'µs of Redis for each call':56}{heading}\n")
    with tempfile.TemporaryDirectory() as folder, own_redis(Path(folder)) as url:
        life = MeasuredLife(url)
        for kind in flags.kind or tuple(KINDS):
            for waits in (False, True):
                for group in flags.group or (1, 32):
                    found = life.measure(trees, kind, group, flags.rounds, waits=waits)
                    title = f"{kind}{', waits' if waits else ''}, {group} together"
                    for scripts, costs in zip(trees, found, strict=True):
                        figures = "".join(f"{costs[name]:9.2f}" for name in SCRIPTS)
                        name = f", {scripts.name}" if len(trees) > 1 else ""
                        sys.stdout.write(f"{title + name:56}{figures}\n")
                        sys.stdout.flush()


if __name__ == "__main__":
    main()
