"""Claim invocations from the queues of a worker. Everything runs in the loop thread.

    resting ──room, and a queue may have work──► claiming ──reply──────────────────► resting
    resting ──room, but no queue may have work─► parked ──token, time-out or error─► resting

claiming: the claim script of one queue was sent; its reply is under way.
parked:   Redis blocks on the wake-up lists (BLPOP). For a single queue the claim is sent right
          behind the BLPOP, so Redis runs it the moment an invocation arrives.
resting:  nothing was sent. `look` runs after every reply and whenever there may be more room.
          Without room it stays here; after an error of Redis it waits 0.25 s.

How much room there is (the prefetch) is asked of `room`: `runtime.worker.process` adds up what
`runtime.execution.runner_pool` can take, by how long functions take (`run_times`).

One command is under way at a time, so a worker never claims more than it has room for. A worker
without room takes no wake-up token. If a worker is killed while the reply to a claim is under way,
the leases run out and the invocations are requeued.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

import structlog

from runtime.broker.attempt import Attempt
from runtime.broker.attempt_events import log_expired, log_started
from runtime.errors import StoreError
from runtime.loop import Loop, Timer
from runtime.store.invocation_commands import Claim, claim, wake
from runtime.store.loop_connection import LoopConnection
from runtime.store.reconnection import AWAY_PAUSE_S
from runtime.store.recovery_commands import set_aside
from runtime.store.scripts import Command

_log = structlog.get_logger(__name__)
_BLOCK_S = 3.0
_LONGEST_BLOCK_S = 10.0
_SHORTEST_BLOCK_S = 0.001
_PAUSED_S = 0.02  # rest after the claim of a paused queue
_VAIN_PAUSE_S = 0.1  # rest when nothing that waits fits the room
_LOOK_AROUND_S = 0.01  # per queue: how often all queues are tried during a backlog


class ClaimCapacity(NamedTuple):
    """How many more attempts a worker can take.

    Attributes:
        capacity: Attempts of any function.
        rooms: Further attempts by function name; 0 means none of this function at all.
        most: Limit on the further attempts in all.
    """

    capacity: int
    rooms: Mapping[str, int]
    most: int


class Claimer:
    """Claims for one worker process.

    Args:
        loop: The worker's loop.
        connection: A connection that nothing else uses, since it blocks.
        worker: The worker's id.
        lease_ms: How long a lease lasts without a heartbeat.
        room: Returns what can be taken now.
        take: Called with what was claimed, after `stop` too.
    """

    def __init__(
        self,
        loop: Loop,
        connection: LoopConnection,
        *,
        worker: str,
        lease_ms: int,
        room: Callable[[], ClaimCapacity],
        take: Callable[[Sequence[Attempt]], None],
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._worker = worker
        self._lease_ms = lease_ms
        self._room = room
        self._take = take
        self._queues: dict[str, int | None] = {}  # ms until the next is due, at the last claim
        self._with_work: dict[str, None] = {}  # queues that may have work, in turn
        self._tokens: set[str] = set()  # queues whose wake-up token we hold
        self._state: Literal["resting", "claiming", "parked"] = "resting"
        self._then: Callable[[], object] = lambda: None  # of `stop`
        self._is_vain = False  # no waiting function fits the room: wait for more
        self._has_more_room = False  # since the last command was sent
        self._asking_again: Timer | None = None
        self._looks_around_at = 0.0
        self._is_stopped = self._is_away = self._is_pausing = self._is_interrupted = False

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that this worker claims from."""
        return tuple(self._queues)

    def serve(self, queues: Sequence[str]) -> None:
        """Claim from these queues. One that is dropped may still bring a claim under way."""
        new = [name for name in queues if name not in self._queues]
        self._queues = {name: self._queues.get(name) for name in queues}
        self._with_work.update(dict.fromkeys(new))
        for name in list(self._with_work):
            if name not in self._queues:
                del self._with_work[name]
        if new and self._state == "parked":
            self._is_interrupted = True
            self._connection.finish()  # ends the BLPOP on the old queues; `_pause` then looks again
        self.look()

    def look(self, *, has_more_room: bool = False) -> None:
        """Send a claim or park, if there is room and nothing is under way."""
        if has_more_room:
            self._is_vain = False
            self._has_more_room = True
        if self._state != "resting" or self._is_stopped or self._is_pausing or not self._queues:
            return
        room = self._room()
        if room.capacity <= 0 and room.most <= 0:
            self._pass_tokens_on()
            return
        if self._with_work:
            if self._loop.time() >= self._looks_around_at:
                # Try all queues now and then: during a backlog nobody waits for their tokens.
                self._with_work.update(dict.fromkeys(self._queues))
                self._have_looked_around()
            if not self._is_vain:
                self._claim(next(iter(self._with_work)), room)
        else:
            self._park(room)

    def stop(self, then: Callable[[], object]) -> None:
        """Claim no more. `then` is called when nothing is under way; `take` may come before."""
        self._is_stopped = True
        self._pass_tokens_on()
        if self._state == "resting":
            then()
        else:
            self._then = then
            self._connection.finish()  # ends a BLPOP; a reply that is on its way still comes

    def _pass_tokens_on(self) -> None:
        """Put wake-up tokens back, so that another worker is woken to claim."""
        tokens, self._tokens = self._tokens, set()
        for queue in tokens:
            self._connection.run(wake(queue), lambda _: None)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _have_looked_around(self) -> None:
        self._looks_around_at = self._loop.time() + _LOOK_AROUND_S * len(self._queues)

    def _claim(self, queue: str, room: ClaimCapacity) -> None:
        self._state = "claiming"
        self._has_more_room = self._is_interrupted = False
        self._connection.run(
            self._claim_call(queue, room), lambda reply: self._claimed(queue, reply)
        )

    def _park(self, room: ClaimCapacity) -> None:
        self._state = "parked"
        self._has_more_room = self._is_interrupted = False
        block_s = self._block_s()
        wake_lists = [self._connection.keys.build("wake", queue) for queue in self._queues]
        if len(self._queues) == 1:
            [queue] = self._queues
            self._connection.block_and_run(
                wake_lists,
                self._claim_call(queue, room),
                timeout_s=block_s,
                receive=lambda reply: self._claimed(queue, reply),
            )
        else:
            receive = partial(self._woken, dict(zip(wake_lists, self._queues, strict=True)))
            self._connection.block(wake_lists, timeout_s=block_s, receive=receive)

    def _claim_call(self, queue: str, room: ClaimCapacity) -> Command[Claim]:
        return claim(
            queue=queue,
            worker=self._worker,
            limit=max(0, room.capacity),
            lease_ms=self._lease_ms,
            ahead=max(0, room.most),
            rooms=room.rooms,
        )

    def _woken(
        self, queues: Mapping[str, str], found: tuple[str, bytes] | StoreError | None
    ) -> None:
        self._state = "resting"
        if isinstance(found, tuple):
            self._tokens.add(queues[found[0]])
        if self._is_stopped:
            self._pass_tokens_on()
            self._then()
            return
        if isinstance(found, StoreError):
            self._pause(found)
            return
        self._have_looked_around()
        if found is not None:
            self._with_work[queues[found[0]]] = None
        else:  # time-out: an invocation may be due, or a killed worker took the token with it
            self._with_work.update(dict.fromkeys(self._queues))
        self.look()

    def _claimed(self, queue: str, reply: Claim | StoreError) -> None:
        self._state = "resting"
        if isinstance(reply, StoreError):
            if self._is_stopped:
                self._then()
            else:
                self._pause(reply)
            return
        self._tokens.discard(queue)  # if work is left, the script has put a new token
        attempts = [Attempt(item, queue) for item in reply.items]
        self._note_rest(queue, reply)
        if not attempts and reply.remaining_lanes and not self._has_more_room:
            self._be_vain()
        if attempts:
            self._take(attempts)
        if self._is_stopped:
            self._then()
        elif reply.is_paused:  # submissions still leave tokens: do not follow each of them
            self._rest(_PAUSED_S)
        else:
            self._loop.call_soon(self.look)
        for unreadable in reply.unreadable:
            self._set_aside(queue, *unreadable)
        if self._is_away:  # logging comes last, since it may raise
            self._is_away = False
            _log.info("store_is_back", queue=queue)
        log_started(attempts, self._worker)
        log_expired(reply.expired)

    def _note_rest(self, queue: str, reply: Claim) -> None:
        self._with_work.pop(queue, None)
        if queue in self._queues:
            self._queues[queue] = reply.next_due_ms
            if reply.remaining_lanes:
                self._with_work[queue] = None  # at the end: queues take turns

    def _be_vain(self) -> None:
        """Claim again when there is more room, or after 0.1 s: others may have been submitted."""
        self._is_vain = True
        if self._asking_again is not None:
            self._asking_again.cancel()
        look = partial(self.look, has_more_room=True)
        self._asking_again = self._loop.call_later(_VAIN_PAUSE_S, look)

    def _block_s(self) -> float:
        # The time-out only matters for due invocations and tokens lost with a killed worker.
        count = len(self._queues)
        block_s = min(_LONGEST_BLOCK_S, _BLOCK_S * max(1.0, count / 2))
        due_ms = min((due for due in self._queues.values() if due is not None), default=None)
        if due_ms is not None:
            block_s = min(block_s, max(_SHORTEST_BLOCK_S, due_ms / 1000))
        return block_s

    def _set_aside(self, queue: str, invocation_id: str, function: str, reason: str) -> None:
        """Quarantine a record that cannot be read, or workers would take it over for ever."""

        def received(reply: object) -> None:
            if isinstance(reply, StoreError):
                _log.warning("set_aside_failed", id=invocation_id, error=str(reply))

        self._connection.run(
            set_aside(
                invocation_id, queue=queue, function=function, worker=self._worker, reason=reason
            ),
            received,
        )
        _log.error("invocation_set_aside", id=invocation_id, function=function, reason=reason)

    def _pause(self, error: StoreError) -> None:
        if self._is_interrupted:  # `serve` ended the wait; Redis is not away
            self._is_interrupted = False
            self._loop.call_soon(self.look)
            return
        self._with_work.update(dict.fromkeys(self._queues))
        self._rest(AWAY_PAUSE_S)
        if not self._is_away and not self._is_stopped:
            self._is_away = True
            _log.warning("store_is_away", queues=", ".join(self._queues), error=str(error))

    def _rest(self, seconds: float) -> None:
        def go_on() -> None:
            self._is_pausing = False
            self.look()

        self._is_pausing = True
        self._loop.call_later(seconds, go_on)
