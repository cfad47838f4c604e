"""An attempt that tells what a test has it tell, as a worker would."""

from __future__ import annotations

from runtime.invocations.events import count_events
from runtime.store.event_commands import Entry, append_events
from runtime.store.invocation_commands import Claimed
from tests.support.gateway_process import RunningGateway


class Speaker:
    """An attempt that tells what a test has it tell."""

    def __init__(self, gateway: RunningGateway, claimed: Claimed) -> None:
        self.gateway = gateway
        self.claimed = claimed
        self.id = claimed.id
        self.number = 0

    def append(self, *notes: tuple[str, bytes]) -> None:
        entries = []
        for kind, data in notes:
            self.number += count_events(kind, data)
            entries.append(Entry(number=self.number, kind=kind, data=data))
        assert self.gateway.connection.run(
            append_events(self.id, self.claimed.token, entries, worker=self.claimed.worker)
        )

    def finish(self, status: str = "succeeded", **how: object) -> None:
        self.gateway.finish(self.claimed, status, **how)
