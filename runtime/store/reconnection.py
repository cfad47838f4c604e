"""How every connection comes back when Redis has been away.

A connection does not retry by itself: a command fails once, with `StoreUnavailableError`, and the
next command connects again (`async_connection`, `loop_connection`, `blocking_connection`). Whoever
works in a loop waits for `AWAY_PAUSE_S` after a failure. Only `pubsub` reconnects on its own.
"""

from __future__ import annotations

AWAY_PAUSE_S = 0.25  # long beside a round trip, short beside what a person notices
