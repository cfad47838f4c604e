"""Resolve host names without blocking an event loop.

The system's resolver cannot be interrupted and may take half a minute. So each name gets a daemon
thread, shared by all that wait for it: a hundred names whose servers hang take a hundred threads
and delay no other name.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

_MOST_THREADS = 256


def resolve_host(host: str, port: int) -> tuple[str, ...]:
    """Return every address of a host, as the system resolves it. Blocks.

    Raises:
        OSError: There is none, or the name is not a host name.
    """
    return _ask(host, port, 0)


def _ask(host: str, port: int, flags: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError as error:
        raise OSError(f"not a host name: {error}") from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Resolves names in threads; no name in two threads at once.

    Args:
        resolve: The blocking function to call; raises OSError.
        most_threads: Most names that are resolved at once; further ones fail.
    """

    def __init__(
        self,
        resolve: Callable[[str, int], Sequence[str]],
        *,
        most_threads: int = _MOST_THREADS,
    ) -> None:
        self._resolve = resolve
        self._most_threads = most_threads
        self._under_way: dict[tuple[str, int], Future[Sequence[str]]] = {}
        self._lock = threading.Lock()  # guards `_under_way`: loop and resolving threads

    async def resolve(self, host: str, port: int, *, timeout_s: float) -> Sequence[str]:
        """Return the addresses of a host.

        Raises:
            OSError: There is none, or too many names are being resolved; TimeoutError, a kind of
                OSError, after `timeout_s`.
        """
        if self._resolve is resolve_host:
            with contextlib.suppress(OSError):
                return _ask(host, port, socket.AI_NUMERICHOST)
        answer = asyncio.wrap_future(self._ask_once(host, port))
        answer.add_done_callback(_take_note)
        return await asyncio.wait_for(asyncio.shield(answer), timeout_s)

    def _ask_once(self, host: str, port: int) -> Future[Sequence[str]]:
        with self._lock:
            future = self._under_way.get((host, port))
            if future is not None:
                return future
            if len(self._under_way) >= self._most_threads:
                raise OSError("too many names are being resolved")
            future = self._under_way[host, port] = Future()
        threading.Thread(
            target=self._work, args=(host, port, future), name="resolve", daemon=True
        ).start()
        return future

    def _work(self, host: str, port: int, future: Future[Sequence[str]]) -> None:
        future.set_running_or_notify_cancel()
        try:
            answer = self._resolve(host, port)
        except Exception as error:  # noqa: BLE001 - the outermost loop of a thread
            self._forget(host, port)
            future.set_exception(error)
        else:
            self._forget(host, port)
            future.set_result(answer)

    def _forget(self, host: str, port: int) -> None:
        with self._lock:
            self._under_way.pop((host, port), None)


def _take_note(answer: asyncio.Future[Sequence[str]]) -> None:
    """Retrieve an error that nobody waits for any more, or asyncio would log it."""
    if not answer.cancelled():
        answer.exception()
