"""What lies beside a channel: tickets, which can be taken back, a pipe back, unheard, and a page.

A *ticket* is a byte that the child takes before it begins what needs one. The owner keeps both
ends, and takes back at once all that are left: the kernel gives each byte to one of them, so the
owner knows for certain how many the child has. What comes back by the *quiet* pipe is looked for,
never waited for, so that writing to it wakes nobody. In the *page* the child notes whose code it
executes (`runtime.processes.shared_page`). All are given to the child over its channel.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket

from runtime.errors import ChannelClosedError
from runtime.processes.channel import Channel
from runtime.processes.shared_page import RunnersPage, SharedPage

QUIET_BYTES = 4_096  # what a pipe takes whole or not at all (PIPE_BUF)
_QUIET_MOST_BYTES = 65_536  # all that a pipe holds
_HIGH_DESCRIPTOR = 450
_DESCRIPTORS = 3
_MOST_TICKETS = 4_096
_TICKET = b"t"


class SideChannel:
    """The owner's side; safe to use from many threads, but for `listen`."""

    def __init__(self) -> None:
        with contextlib.ExitStack() as on_failure:
            self._quiet, self._childs_quiet = os.pipe()
            on_failure.callback(os.close, self._quiet)
            on_failure.callback(os.close, self._childs_quiet)
            self._page = SharedPage.create()
            on_failure.callback(self._page.close)
            self._tickets, self._childs_tickets = socket.socketpair()
            on_failure.pop_all()
        os.set_blocking(self._quiet, False)

    @classmethod
    def open(cls) -> SideChannel | None:
        """Make them; None where the system has no more descriptors."""
        try:
            return cls()
        except OSError:
            return None

    def give(self, channel: Channel) -> None:
        """Give the child its ends; raises ChannelClosedError when it is gone."""
        channel.send_descriptors(
            (self._childs_tickets.fileno(), self._childs_quiet, self._page.fileno())
        )
        os.close(self._childs_quiet)
        self._childs_quiet = -1

    def fileno(self) -> int:
        """Return the descriptor at which quiet answers arrive."""
        return self._quiet

    def issue(self, count: int) -> bool:
        """Lay out tickets; False when that cannot be."""
        try:
            return self._tickets.send(_TICKET * count, socket.MSG_DONTWAIT) == count
        except OSError:  # the child has shut it down
            return False

    def take_back(self) -> int:
        """Take the tickets that the child has not taken, and never will; return how many."""
        try:
            return len(self._childs_tickets.recv(_MOST_TICKETS, socket.MSG_DONTWAIT))
        except OSError:  # there is none
            return 0

    def listen(self) -> bytes:
        """Return all that the child has said quietly since; it may be nothing."""
        try:
            return os.read(self._quiet, _QUIET_MOST_BYTES)
        except BlockingIOError:
            return b""

    def executing(self) -> set[int]:
        """Return the serials of the attempts whose code the child executes, or did at its end."""
        return self._page.executing()

    def step(self) -> tuple[int, int]:
        """Return whose code the child's event loop runs, and how many steps it has begun."""
        return self._page.step()

    def close(self) -> None:
        """Close all ends; twice is safe."""
        self._page.close()
        self._tickets.close()
        self._childs_tickets.close()
        for descriptor in (self._quiet, self._childs_quiet):
            if descriptor >= 0:
                os.close(descriptor)
        self._quiet = self._childs_quiet = -1


class ChildSideChannel:
    """The child's side.

    Attributes:
        page: Where the child notes whose code it executes.
    """

    def __init__(self, tickets: int, quiet: int, page: int) -> None:
        self.page = RunnersPage.attach(page)
        self._tickets = socket.socket(fileno=_move_up(tickets))
        self._quiet = _move_up(quiet)
        os.set_blocking(self._quiet, False)

    @classmethod
    def take(cls, channel: Channel) -> ChildSideChannel | None:
        """Take what the owner gives, before anything else is received; None if it has none."""
        given = channel.receive_descriptors(_DESCRIPTORS)
        return cls(*given) if len(given) == _DESCRIPTORS else None

    def take_ticket(self) -> bool:
        """Take a ticket; False when there is none.

        Raises:
            ChannelClosedError: The way has been closed in this process.
        """
        try:
            return bool(self._tickets.recv(1, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosedError(f"the way of tickets is gone: {error}") from error

    def say(self, frame: bytes) -> bool:
        """Say something quietly; False when it is too long, or too much lies there unread.

        Raises:
            ChannelClosedError: The way has been closed.
        """
        if len(frame) > QUIET_BYTES:
            return False
        try:
            os.write(self._quiet, frame)
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosedError(f"the quiet way is gone: {error}") from error
        return True

    def close(self) -> None:
        """Close all, as a fork must; twice is safe."""
        self.page.detach()
        self._tickets.close()
        if self._quiet >= 0:
            with contextlib.suppress(OSError):
                os.close(self._quiet)
            self._quiet = -1


def _move_up(descriptor: int) -> int:
    """Give it a high number, which code that closes "the first few" does not meet."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH_DESCRIPTOR)
    os.close(descriptor)
    return moved
