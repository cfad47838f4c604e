"""Three resources shared with a child besides its channel: tickets, a quiet pipe, and a page.

- A *ticket* is one byte in a socket pair. The child takes a ticket before it begins an attempt
  that needs one. The owner can read the same socket and so take back all tickets that are left.
  The kernel gives each byte to one reader, so the owner knows exactly how many the child took,
  even if the child is killed.
- The *quiet pipe* carries frames from the child that the owner reads only when it has another
  reason to look, so writing to it wakes nobody.
- In the *page* the child records which code it executes (`runtime.processes.shared_page`).

The child receives all three over its channel.
"""

from __future__ import annotations

import contextlib
import os
import socket

from runtime.errors import ChannelClosedError
from runtime.processes.channel import Channel
from runtime.processes.child_limits import move_up
from runtime.processes.shared_page import RunnersPage, SharedPage

QUIET_BYTES = 4_096  # PIPE_BUF: a write of up to this size is atomic
_QUIET_MOST_BYTES = 65_536  # the capacity of a pipe
_HIGH_DESCRIPTOR = 450
_DESCRIPTORS = 3
_MOST_TICKETS = 4_096
_TICKET = b"t"


class SideChannel:
    """The owner's side; safe to use from many threads, except for `listen`.

    Attributes:
        page: Where the child records which attempts' code it executes.
    """

    def __init__(self) -> None:
        with contextlib.ExitStack() as on_failure:  # descriptors may run out at any of these lines
            self._quiet, self._childs_quiet = os.pipe()
            on_failure.callback(os.close, self._quiet)
            on_failure.callback(os.close, self._childs_quiet)
            self.page = SharedPage.create()
            on_failure.callback(self.page.close)
            self._tickets, self._childs_tickets = socket.socketpair()
            on_failure.pop_all()
        os.set_blocking(self._quiet, False)

    @classmethod
    def open(cls) -> SideChannel | None:
        """Make the three resources; return None if the system has no more descriptors."""
        try:
            return cls()
        except OSError:
            return None

    def give(self, channel: Channel) -> None:
        """Send the child its ends; raises ChannelClosedError if it has ended."""
        channel.send_descriptors(
            (self._childs_tickets.fileno(), self._childs_quiet, self.page.fileno())
        )
        # Only the quiet pipe's end is closed; the child's ticket end is kept for `take_back`.
        os.close(self._childs_quiet)
        self._childs_quiet = -1

    def fileno(self) -> int:
        """Return the descriptor of the quiet pipe."""
        return self._quiet

    def issue(self, count: int) -> bool:
        """Issue tickets; return False if the socket did not take them all."""
        try:
            return self._tickets.send(_TICKET * count, socket.MSG_DONTWAIT) == count
        except OSError:  # the socket is full, or the child has shut it down
            return False

    def take_back(self) -> int:
        """Take back the tickets that the child has not taken; return how many there were."""
        try:
            return len(self._childs_tickets.recv(_MOST_TICKETS, socket.MSG_DONTWAIT))
        except OSError:  # there are none
            return 0

    def listen(self) -> bytes:
        """Return what the child has written to the quiet pipe since the last call, if anything."""
        try:
            return os.read(self._quiet, _QUIET_MOST_BYTES)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Close all ends; safe to call twice."""
        self.page.close()
        self._tickets.close()
        self._childs_tickets.close()
        for descriptor in (self._quiet, self._childs_quiet):
            if descriptor >= 0:
                os.close(descriptor)
        self._quiet = self._childs_quiet = -1


class ChildSideChannel:
    """The child's side.

    Attributes:
        page: Where the child records which attempts' code it executes.
    """

    def __init__(self, tickets: int, quiet: int, page: int) -> None:
        self.page = RunnersPage.attach(page)
        self._tickets = socket.socket(fileno=move_up(tickets, _HIGH_DESCRIPTOR))
        self._quiet = move_up(quiet, _HIGH_DESCRIPTOR)
        os.set_blocking(self._quiet, False)

    @classmethod
    def take(cls, channel: Channel) -> ChildSideChannel | None:
        """Receive the owner's descriptors, before the first frame; None if it sends none."""
        given = channel.receive_descriptors(_DESCRIPTORS)
        return cls(*given) if len(given) == _DESCRIPTORS else None

    def take_ticket(self) -> bool:
        """Take a ticket; return False if there is none.

        Raises:
            ChannelClosedError: The ticket socket has been closed in this process.
        """
        try:
            return bool(self._tickets.recv(1, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosedError(f"the ticket socket is closed: {error}") from error

    def say(self, frame: bytes) -> bool:
        """Write a frame to the quiet pipe; return False if it is too long or the pipe is full.

        Raises:
            ChannelClosedError: The pipe has been closed.
        """
        if len(frame) > QUIET_BYTES:  # not atomic: a kill or a full pipe could leave part of it
            return False
        try:
            os.write(self._quiet, frame)
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosedError(f"the quiet pipe is closed: {error}") from error
        return True

    def close(self) -> None:
        """Close everything, as a fork of the child must; safe to call twice."""
        self.page.detach()
        self._tickets.close()
        if self._quiet >= 0:
            with contextlib.suppress(OSError):
                os.close(self._quiet)
            self._quiet = -1
