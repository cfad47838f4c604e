"""Each kind of damage that a check knows: how it is done, and what is then found.

A finding is its kind and what the scene calls the id. Counts are compared with what the places
hold, so what stands in a wrong place may show there, too.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.check_scene import Scene

Damage = Callable[[Scene], None]
LANE = ("lane", "default", "f", "")


def crash(scene: Scene) -> None:
    """As a script would leave it that is broken off half-way: running, and nothing else of it."""
    scene.raw("HSET", ("record", scene.queued), "status", "running", "token", 1, "attempt", 1)
    scene.raw("HSET", ("record", scene.queued), "worker", "dead", "started_at", 1)


DAMAGES: dict[str, tuple[Damage, set[tuple[str, str]]]] = {
    "a queued one in no lane": (
        lambda s: s.raw("ZREM", LANE, s.queued),
        {
            ("missing_in_lane", "queued"),
            ("stray_in_keys", ""),
        },
    ),
    "a lane without its turn": (
        lambda s: s.raw("ZREM", ("keys", "default", "f"), ""),
        {("lane_without_turn", "default f ")},
    ),
    "a function without its turn": (
        lambda s: s.raw("ZREM", ("ring", "default"), "f"),
        {
            ("lane_without_turn", "default f "),
            ("lane_without_turn", "default f some key: with signs"),
            ("wrong_count", "waiting in queue default"),
        },
    ),
    "a turn for nothing": (
        lambda s: s.raw("ZADD", ("keys", "default", "f"), 1, "nothing here"),
        {("stray_in_keys", "nothing here")},
    ),
    "a function's turn for nothing": (
        lambda s: s.raw("ZADD", ("ring", "default"), 1, "nothing"),
        {("stray_in_ring", "nothing")},
    ),
    "an ended one in a lane": (
        lambda s: s.raw("ZADD", LANE, 1, s.ended),
        {("stray_in_lane", "ended")},
    ),
    "an unknown one in a lane": (
        lambda s: s.raw("ZADD", LANE, 1, "gone"),
        {("stray_in_lane", "gone")},
    ),
    "a scheduled one never due": (
        lambda s: s.raw("ZREM", ("due", "default"), s.scheduled),
        {("missing_in_due", "scheduled")},
    ),
    "a retrying one never due": (
        lambda s: s.raw("ZREM", ("due", "default"), s.retrying),
        {("missing_in_due", "retrying")},
    ),
    "an ended one due": (
        lambda s: s.raw("ZADD", ("due", "default"), 10**14, s.ended),
        {("stray_in_due", "ended")},
    ),
    "a running one without a lease": (
        lambda s: s.raw("ZREM", ("leases",), s.running),
        {
            ("missing_lease", "running"),
            ("wrong_count", "running in queue default"),
            ("wrong_count", "waiting in queue default"),
            ("wrong_count", "waiting of function f"),
        },
    ),
    "a lease of nothing": (
        lambda s: s.raw("ZADD", ("leases",), 10**14, "gone"),
        {("stray_in_leases", "gone")},
    ),
    "a script broken off": (
        crash,
        {
            ("missing_lease", "queued"),
            ("stray_in_lane", "queued"),
        },
    ),
    "a place taken for nothing": (
        lambda s: s.raw("SADD", ("running", "limited"), "gone"),
        {("stray_in_running", "gone")},
    ),
    "one that never expires": (
        lambda s: s.raw("ZREM", ("expiring",), s.queued),
        {("missing_in_expiring", "queued")},
    ),
    "an ended one that expires": (
        lambda s: s.raw("ZADD", ("expiring",), 10**14, s.ended),
        {("stray_in_expiring", "ended")},
    ),
    "one kept for ever": (
        lambda s: s.raw("ZREM", ("retention",), s.ended),
        {("missing_in_retention", "ended")},
    ),
    "a retention of nothing": (
        lambda s: s.raw("ZADD", ("retention",), 10**14, "gone"),
        {("stray_in_retention", "gone")},
    ),
    "one in no index of what lives": (
        lambda s: s.raw("ZREM", ("index", "live"), s.running),
        {("missing_in_index", "running")},
    ),
    "one in no index of its tag": (
        lambda s: s.raw("ZREM", ("index", "tag:t"), s.ended),
        {("missing_in_index", "ended")},
    ),
    "an ended one among what lives": (
        lambda s: s.raw("ZADD", ("index", "live"), 0, s.ended),
        {("stray_in_index", "ended")},
    ),
    "an index of nothing": (
        lambda s: s.raw("ZADD", ("index", "end:f:failed"), 0, "gone"),
        {("stray_in_index", "gone")},
    ),
    "a record deleted": (
        lambda s: s.raw("DEL", ("record", s.ended)),
        {("stray_in_index", "ended"), ("stray_in_retention", "ended")},
    ),
    "a running one's record deleted": (
        lambda s: s.raw("DEL", ("record", s.running)),
        {
            ("stray_in_index", "running"),
            ("stray_in_leases", "running"),
            ("wrong_count", "running in queue default"),
            ("wrong_count", "waiting in queue default"),
            ("wrong_count", "waiting of function f"),
        },
    ),
    "a queue that counts too many": (
        lambda s: s.raw("HINCRBY", ("queue", "default"), "waiting", 3),
        {("wrong_count", "waiting in queue default")},
    ),
    "a queue that runs too few": (
        lambda s: s.raw("HINCRBY", ("queue", "default"), "running", -1),
        {("wrong_count", "running in queue default")},
    ),
    "a function that counts too few": (
        lambda s: s.raw("HINCRBY", ("waiting",), "f", -2),
        {("wrong_count", "waiting of function f")},
    ),
    "a batch that counts wrong": (
        lambda s: s.raw("HINCRBY", ("batch", s.batch), "queued", 2),
        {("wrong_batch_count", "batch")},
    ),
    "a delivery never due": (
        lambda s: s.raw("ZREM", ("deliveries_due",), s.delivery),
        {("missing_in_due", "delivery")},
    ),
    "a delivery not listed": (
        lambda s: s.raw("ZREM", ("deliveries", "pending"), s.delivery),
        {("missing_in_index", "delivery")},
    ),
    "a delivery that nobody can send": (
        lambda s: s.raw("HDEL", ("delivery", s.delivery), "url"),
        {("incomplete_delivery", "delivery")},
    ),
    "a delivery lost": (
        lambda s: s.raw("DEL", ("delivery", s.delivery)),
        {("missing_delivery", "called_back")},
    ),
    "a receiver that counts too many": (
        lambda s: s.raw("HSET", ("receiver", "r"), "in_flight", 3),
        {("wrong_count", "receiver r")},
    ),
    "an origin that counts too many": (
        lambda s: s.raw("SET", ("origin", "o"), 5),
        {("wrong_count", "origin o")},
    ),
    "a schedule never ticked": (
        lambda s: s.raw("ZREM", ("schedules_due",), "tick"),
        {("missing_in_schedules_due", "tick")},
    ),
    "a schedule gone and ticked": (
        lambda s: s.raw("ZADD", ("schedules_due",), 1, "gone"),
        {("stray_in_schedules_due", "gone")},
    ),
    "an ended one without its function": (
        lambda s: s.raw("HDEL", ("record", s.ended), "function"),
        {("incomplete_record", "ended")},
    ),
    **{
        f"a queued one without its {name}": (
            lambda s, name=name: s.raw("HDEL", ("record", s.queued), name),
            {("incomplete_record", "queued")},
        )
        for name in ("version", "arguments", "created_at")
    },
    **{
        f"a running one without its {name}": (
            lambda s, name=name: s.raw("HDEL", ("record", s.running), name),
            {("incomplete_record", "running")},
        )
        for name in ("worker", "token", "attempt", "started_at")
    },
}
