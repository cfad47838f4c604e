"""What Redis tells of its clients and of what it has run."""

from __future__ import annotations

from tests.support.life import Life


def scripts_run(life: Life) -> int:
    """Return how many scripts were run since the counts were reset."""
    reported = life.command("INFO", "commandstats").decode()
    return int(reported.partition("cmdstat_evalsha:calls=")[2].partition(",")[0] or 0)


def connections(life: Life) -> int:
    """Return how many clients there are."""
    return int(life.command("CLIENT", "LIST").count(b" addr="))


def blocked(life: Life) -> int:
    """Return how many clients wait in Redis."""
    return int(life.command("CLIENT", "LIST").count(b"cmd=blpop"))
