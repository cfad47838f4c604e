"""Somebody who looks at what has ended while everything happens, and remembers it.

The oracle compares: what was seen to have ended must be the same in the end.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Self

import httpx

EVERY_S = 0.5
ENDINGS = ("succeeded", "failed")


class Onlooker:
    """A thread that reads the newest endings twice a second."""

    def __init__(self, base_url: str) -> None:
        self.seen: dict[str, dict[str, Any]] = {}
        self.changed: list[str] = []
        self._base_url = base_url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="onlooker")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        with httpx.Client(base_url=self._base_url, timeout=5, trust_env=False) as http:
            while not self._over.wait(EVERY_S):
                with contextlib.suppress(httpx.HTTPError):
                    for status in ENDINGS:
                        self._look(http, status)

    def _look(self, http: httpx.Client, status: str) -> None:
        answer = http.get("/invocations", params={"status": status, "limit": "100"})
        for item in answer.json()["items"] if answer.status_code == 200 else []:
            ending = without_callback(item)
            if self.seen.setdefault(item["id"], ending) != ending:
                self.changed.append(item["id"])


def without_callback(invocation: dict[str, Any]) -> dict[str, Any]:
    """Leave out where the callback stands: that goes on after the end."""
    return {name: value for name, value in invocation.items() if name != "callback"}
