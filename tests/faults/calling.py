"""Callers: many at once, each with an idempotency key, repeating what was not acknowledged.

What they were told stands in `Answer`: the id they hold, and every refusal on the way to it. The
client shares no code with the gateway.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PAUSE_S = 0.1
ANSWER_LIMIT_S = 30.0
GIVES_UP_AFTER_S = 90.0
Arguments = Callable[[int], Mapping[str, Any]]
Headers = Callable[[int], Mapping[str, str]]
Query = Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One request that was not acknowledged; `status` is None when the connection broke."""

    at_s: float
    took_s: float
    status: int | None
    code: str = ""
    retry_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one caller was told; `id` is empty when it was never acknowledged."""

    key: str
    id: str
    at_s: float
    took_s: float
    refusals: tuple[Refusal, ...]


class Callers:
    """Calls one function of a system from several threads.

    Args:
        base_url: Where the gateway is.
        function: What to call.
        arguments: From a call's number to its arguments.
        headers: From a call's number to further headers.
        query: From a call's number to what is appended to the path.
        name: Parts the keys of these callers from those of others.
        keeps_connections: Whether a thread uses its connection again.
        threads: How many calls may be on their way at once.
    """

    def __init__(
        self,
        base_url: str,
        function: str,
        arguments: Arguments,
        *,
        headers: Headers = lambda _: {},
        query: Query = lambda _: "",
        name: str = "",
        keeps_connections: bool = True,
        threads: int = 8,
    ) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port
        self._function, self._arguments = function, arguments
        self._headers, self._query, self._name = headers, query, name or function
        self._keeps_connections = keeps_connections
        self._threads = threads
        self._numbers = itertools.count()
        self._answers: list[Answer] = []
        self._begun_s = 0.0

    def make(self, count: int) -> list[Answer]:
        """Make so many calls as fast as they are acknowledged; return what was told."""
        over = threading.Event()
        threads = self._start(over, most=count, per_s=None)
        for thread in threads:
            thread.join()
        return list(self._answers)

    @contextmanager
    def calling(self, per_s: float) -> Iterator[list[Answer]]:
        """Make calls at a steady pace while the block runs; all have been told at its end."""
        over = threading.Event()
        threads = self._start(over, most=None, per_s=per_s)
        try:
            yield self._answers
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _start(
        self, over: threading.Event, *, most: int | None, per_s: float | None
    ) -> list[threading.Thread]:
        self._begun_s = time.monotonic()
        threads = [
            threading.Thread(target=self._call_on, args=(over, most, per_s), name="caller")
            for _ in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        return threads

    def _call_on(self, over: threading.Event, most: int | None, per_s: float | None) -> None:
        connection = self._open()
        try:
            for number in self._numbers:
                if most is not None and number >= most:
                    return
                if per_s is not None:
                    due_s = self._begun_s + number / per_s
                    over.wait(max(0.0, due_s - time.monotonic()))
                if over.is_set():
                    return
                self._answers.append(self._call(connection, number))
        finally:
            connection.close()

    def _call(self, connection: http.client.HTTPConnection, number: int) -> Answer:
        key = f"{self._name}-{number}"
        began_s = time.monotonic()
        refusals: list[Refusal] = []
        while time.monotonic() - began_s < GIVES_UP_AFTER_S:
            reported = self._ask(connection, number, key)
            if isinstance(reported, str):
                return Answer(
                    key=key,
                    id=reported,
                    at_s=began_s,
                    took_s=time.monotonic() - began_s,
                    refusals=tuple(refusals),
                )
            refusals.append(reported)
            if (
                reported.status is not None
                and reported.status < http.HTTPStatus.INTERNAL_SERVER_ERROR
            ):
                break
            time.sleep(PAUSE_S)
        return Answer(key=key, id="", at_s=began_s, took_s=0.0, refusals=tuple(refusals))

    def _ask(self, connection: http.client.HTTPConnection, number: int, key: str) -> str | Refusal:
        """Ask once; return the id, or why there is none."""
        at_s = time.monotonic()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            **self._headers(number),
        }
        path = f"/functions/{self._function}{self._query(number)}"
        try:
            body = json.dumps(self._arguments(number))
            connection.request("POST", path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return Refusal(at_s=at_s, took_s=time.monotonic() - at_s, status=None)
        if not self._keeps_connections:
            connection.close()
        reported = json.loads(text)
        if answer.status == http.HTTPStatus.ACCEPTED:
            return str(reported["id"])
        return Refusal(
            at_s=at_s,
            took_s=time.monotonic() - at_s,
            status=answer.status,
            code=reported.get("code", ""),
            retry_after=answer.headers.get("Retry-After"),
        )

    def _open(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_LIMIT_S)
