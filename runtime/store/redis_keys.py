"""All Redis keys; they are built here and nowhere else.

One table lists the name, shape, lifetime and content of each key. Python uses it through `Keys`.
Lua scripts write `key_record(id)` and so on, which `spell_out_keys` replaces by the key. All keys
of a partition share one hash tag and so one cluster slot: a script may touch any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

_HOLE = re.compile(r"<\w+>")
_USE = re.compile(r"\bkey_(\w+)\(")
_LOOSE = re.compile(r"\b(or|and|not)\b|[<>=~]")

Life = Literal["permanent", "until finished, then its retention", "while it lives", "retention"]


@dataclass(frozen=True, slots=True)
class KeyShape:
    """One kind of key; each `<x>` in `shape` is a placeholder."""

    name: str
    shape: str
    life: Life
    holds: str


_UNTIL_FINISHED: Life = "until finished, then its retention"
_LIVES: Life = "while it lives"
TABLE = (
    KeyShape("record", "inv:<id>", _UNTIL_FINISHED, "hash: an invocation"),
    KeyShape("queues", "queues", "permanent", "set: names of queues ever used"),
    KeyShape("queue", "q:<queue>", "permanent", "hash: waiting, running, paused, turns"),
    KeyShape("ring", "q:<queue>:turns", _LIVES, "zset: functions with work, by turn"),
    KeyShape(
        "keys",
        "q:<queue>:turns:<function_name>",
        _LIVES,
        "zset: its fairness keys with work, by turn",
    ),
    KeyShape("old_ring", "q:<queue>:ring", _LIVES, "list: as ring, up to release 0.1"),
    KeyShape(
        "old_keys", "q:<queue>:keys:<function_name>", _LIVES, "list: as keys, up to release 0.1"
    ),
    KeyShape("held", "q:<queue>:held", _LIVES, "zset: throttled functions, by when to look again"),
    KeyShape(
        "lane", "q:<queue>:lane:<function_name>:<key>", _LIVES, "zset: waiting ids by urgency"
    ),
    KeyShape("due", "q:<queue>:due", _LIVES, "zset: ids by due time"),
    KeyShape("wake", "q:<queue>:wake", _LIVES, "list: at most one wake-up token"),
    KeyShape("leases", "leases", _LIVES, "zset: running ids by the end of their lease"),
    KeyShape("worker", "worker:<worker>", "retention", "hash: a worker's last heartbeat"),
    KeyShape("workers", "workers", "permanent", "zset: workers by last heartbeat"),
    KeyShape("control", "worker:<worker>:control", "retention", "list: orders for one worker"),
    KeyShape("pulse", "pulse", "permanent", "string: the last heartbeat of any worker"),
    KeyShape("patience", "patience", "retention", "string: set while nothing is taken over"),
    KeyShape("publisher", "publisher", "retention", "string: the worker that publishes functions"),
    KeyShape("functions", "functions", "permanent", "hash: function to manifest"),
    KeyShape("versions", "versions", "permanent", "hash: function to the version that serves"),
    KeyShape("published", "published", "permanent", "hash: function to since when that version"),
    KeyShape("publication", "publication", "permanent", "string: the files published, JSON"),
    KeyShape("locks", "locks", "permanent", "hash: digest of a block to its lock, JSON"),
    KeyShape("limits", "limits", "permanent", "hash: function to its concurrency and rate"),
    KeyShape("running", "running:<function_name>", _LIVES, "set: running ids, if limited"),
    KeyShape("rate", "rate:<name>", "retention", "string: when the next start conforms, in ms"),
    KeyShape("waiting", "waiting", "permanent", "hash: function to how many wait"),
    # Indexes by status: `live` lists queued and running ids; `scheduled`; `retrying`;
    # `end:<status>` finished ones. Each exists for every function, too: `live:<function>` to
    # `end:<function>:<status>`. `tag:<tag>` lists all ids with a tag. The script that changes a
    # status also moves the id; listings merge indexes. All scores are 0: the order is that of ids.
    KeyShape("index", "idx:<name>", "permanent", "zset: ids, newest last, see delete_expired.lua"),
    KeyShape("expiring", "expiring", _LIVES, "zset: waiting ids by their max_age"),
    KeyShape("broken", "broken", "permanent", "zset: at most 1,000 quarantined ids, by when"),
    KeyShape("broken_reasons", "broken:reasons", "permanent", "hash: id to reason, as JSON"),
    KeyShape("miscounted", "miscounted", _LIVES, "string: recount_running is needed"),
    KeyShape("retention", "retention", _LIVES, "zset: finished ids by when they expire"),
    KeyShape("sweep_turn", "sweep:turn", "retention", "string: a slice was deleted just now"),
    KeyShape("mending", "sweep:mending", "retention", "string: the worker that mends the indexes"),
    KeyShape("events", "ev:<id>", "retention", "stream: what its attempts reported"),
    KeyShape(
        "history",
        "att:<id>",
        _UNTIL_FINISHED,
        "list: JSON of its attempts except the last, see history.lua",
    ),
    KeyShape(
        "outputs",
        "out:<id>",
        _UNTIL_FINISHED,
        "list: what those printed, each after its number and a line feed",
    ),
    KeyShape("batch", "batch:<batch>", "retention", "hash: a batch, its size and counts"),
    KeyShape("joining", "batches:joining", _LIVES, "zset: joining batches, by creation"),
    KeyShape("batch_items", "batch:<batch>:items", "retention", "list: the ids of a batch"),
    KeyShape("schedules", "schedules", "permanent", "zset: schedule ids, all with score 0"),
    KeyShape("schedule", "schedule:<id>", "permanent", "hash: a schedule and its counts"),
    KeyShape("skips", "schedule:<id>:skips", "permanent", "list: the last due times skipped"),
    KeyShape("schedules_due", "schedules:due", "permanent", "zset: schedule ids by next tick"),
    KeyShape("schedules_wake", "schedules:wake", _LIVES, "list: at most one token"),
    KeyShape("source", "source:<version>", "retention", "string: a version's source bundle"),
    KeyShape("stats", "stats", "permanent", "hash: counts and histograms, see counters.lua"),
    KeyShape("minute", "minute:<minute>", "retention", "hash: as stats, of one minute"),
    KeyShape("idempotency", "idem:<digest>", "retention", "hash: id and body of a first request"),
    KeyShape("delivery", "dlv:<delivery>", _UNTIL_FINISHED, "hash: a delivery"),
    KeyShape(
        "attempts", "dlv:<delivery>:attempts", _UNTIL_FINISHED, "list: a delivery's attempts, JSON"
    ),
    KeyShape("deliveries", "dlvs:of:<status>", "permanent", "zset: deliveries by creation"),
    KeyShape("deliveries_due", "dlvs:due", _LIVES, "zset: deliveries by next attempt"),
    KeyShape("delivery_leases", "dlvs:leases", _LIVES, "zset: ids by end of their lease"),
    KeyShape("delivery_wake", "dlvs:wake", _LIVES, "list: at most one wake-up token"),
    KeyShape("origins", "dlvs:origins", _LIVES, "zset: origins with work, by turn"),
    KeyShape("origin", "dlvs:origin:<origin>", "retention", "string: its attempts in flight"),
    KeyShape(
        "origin_ring", "dlvs:origin:<origin>:ring", _LIVES, "zset: its receivers with work, by turn"
    ),
    KeyShape("receiver", "dlvs:to:<receiver>", "retention", "hash: in_flight, most"),
    KeyShape("receiver_lane", "dlvs:to:<receiver>:lane", _LIVES, "zset: due deliveries of one URL"),
    KeyShape("api_key", "apikey:<id>", "permanent", "hash: an API key, its secret as a digest"),
    KeyShape("api_keys", "apikeys", "permanent", "zset: key ids by expiry, 0 means never"),
    KeyShape("caller", "caller:<name>", "permanent", "hash: the callback secrets of a name"),
    KeyShape("session", "session:<digest>", "retention", "string: the id of its API key"),
    KeyShape("checks", "checks", "permanent", "hash: the running, the last and the next check"),
    KeyShape("checks_ended", "checks:ended", "permanent", "list: the last ten ids, latest first"),
    KeyShape("checks_wanted", "checks:wanted", _LIVES, "list: ids of requested checks"),
    KeyShape("checks_wake", "checks:wake", _LIVES, "list: at most one wake-up token"),
    KeyShape("check", "check:<check>", "retention", "hash: a check and its counts"),
    KeyShape("check_findings", "check:<check>:findings", "retention", "list: findings, JSON"),
    KeyShape("access_news", "access_news", _LIVES, "channel: keys and sessions that end"),
    KeyShape("inbox", "gw:<gateway>", _LIVES, "channel: notices for one gateway"),
    KeyShape("news", "news", _LIVES, "channel: a manifest has changed"),
)
_SHAPES = {shape.name: shape for shape in TABLE}
# These placeholders may contain colons; each can only be the last one of a shape.
_FREE = frozenset({"<key>", "<name>"})


@dataclass(frozen=True, slots=True)
class Keys:
    """Builds the keys of one partition; the prefix carries its hash tag."""

    namespace: str = "penstock"
    partition: int = 0

    @property
    def prefix(self) -> str:
        """The beginning of every key of this partition."""
        return f"{self.namespace}:{{{self.partition}}}:"

    def build(self, name: str, *parts: str) -> str:
        """Return the key called `name` in the table, with `parts` for its placeholders."""
        filled = iter(parts)
        return self.prefix + _HOLE.sub(lambda _: next(filled), _SHAPES[name].shape)

    def kind_of(self, key: str, names: Iterable[str]) -> tuple[str, tuple[str, ...]] | None:
        """Return which of the keys called `names` this is, and its parts; None if none."""
        if not key.startswith(self.prefix):
            return None
        rest = key[len(self.prefix) :]
        for name in names:
            if found := _pattern_of(name).fullmatch(rest):
                return name, found.groups()
        return None


@cache
def _pattern_of(name: str) -> re.Pattern[str]:
    """Return a pattern for keys called `name`, without the prefix."""
    shape = _SHAPES[name].shape
    pieces = [re.escape(piece) for piece in _HOLE.split(shape)]
    holes = ["(.*)" if hole in _FREE else "([^:]+)" for hole in _HOLE.findall(shape)]
    mixed = [text for pair in zip(pieces, [*holes, ""], strict=True) for text in pair]
    return re.compile("".join(mixed), re.DOTALL)


def spell_out_keys(source: str) -> str:
    """Replace every `key_<name>(…)` in a Lua source by the key itself; `P` is the prefix.

    Functions would do as well, but Redis creates every function of a script again at each call, and
    calling them is a good part of the cost of a short script.
    """
    written, at = [], 0
    while use := _USE.search(source, at):
        shape = _SHAPES[use[1]].shape
        parts, end = _arguments(source, use.end())
        holes = _HOLE.findall(shape)
        if len(parts) != len(holes):
            raise ValueError(f"key_{use[1]} takes {len(holes)}: {source[use.start() : end]}")
        pieces = [piece and f"'{piece}'" for piece in _HOLE.split(shape)]
        filled = [spell_out_keys(f"({part})" if _LOOSE.search(part) else part) for part in parts]
        mixed = [word for pair in zip(pieces, [*filled, ""], strict=True) for word in pair]
        text = " .. ".join(["P", *filter(None, mixed)]).replace("' .. '", "")
        written += [source[at : use.start()], f"({text})"]
        at = end
    return "".join([*written, source[at:]])


def _arguments(source: str, start: int) -> tuple[list[str], int]:
    """Return the arguments of the call whose parenthesis opened before `start`, and its end."""
    parts, depth, begun, quote = [], 0, start, ""
    for at in range(start, len(source)):
        sign = source[at]
        if quote or sign in "'\"":
            quote = (quote or sign) if sign != quote else ""
        elif depth == 0 and sign in ",)":
            parts.append(source[begun:at].strip())
            begun = at + 1
            if sign == ")":
                return [part for part in parts if part], at + 1
        else:
            depth += (sign in "([{") - (sign in ")]}")
    raise ValueError(f"a key's parenthesis is not closed: {source[start : start + 40]}")
