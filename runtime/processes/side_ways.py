"""Two ways beside a channel: one there, for what can be taken back, and one that wakes nobody.

*Ahead* carries whole packets. The owner keeps both of its ends, so that it can take back what
the child has not taken: the kernel gives each packet to one of them, and the owner knows for
certain which. What comes back by the *quiet* pipe is looked for, never waited for, so that
writing to it costs no wake-up. Made by `SideWays.open`, given to the child over its channel.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys

from runtime.errors import ChannelClosedError
from runtime.processes.frames import Channel

PACKET_BYTES = 16_384
QUIET_BYTES = 4_096  # what a pipe takes whole or not at all (PIPE_BUF)
_QUIET_MOST_BYTES = 65_536  # all that a pipe holds
_HIGH_DESCRIPTOR = 450
_DESCRIPTORS = 2
_HAS_PACKETS = sys.platform == "linux"


class SideWays:
    """The owner's side; safe to use from many threads, but for `listen`."""

    def __init__(self) -> None:
        self._quiet, self._childs_quiet = os.pipe()
        try:
            self._ahead, self._childs_ahead = socket.socketpair(
                socket.AF_UNIX, socket.SOCK_SEQPACKET
            )
        except OSError:
            os.close(self._quiet)
            os.close(self._childs_quiet)
            raise
        os.set_blocking(self._quiet, False)

    @classmethod
    def open(cls) -> SideWays | None:
        """Make them; None where the system has no such sockets, or no more descriptors."""
        try:
            return cls() if _HAS_PACKETS else None
        except OSError:
            return None

    def give(self, channel: Channel) -> None:
        """Give the child its ends; raises ChannelClosedError when it is gone."""
        channel.send_descriptors((self._childs_ahead.fileno(), self._childs_quiet))
        os.close(self._childs_quiet)
        self._childs_quiet = -1

    def fileno(self) -> int:
        """Return the descriptor at which quiet answers arrive."""
        return self._quiet

    def put(self, packet: bytes) -> bool:
        """Lay a packet ahead; False when there is no room for it."""
        try:
            self._ahead.send(packet, socket.MSG_DONTWAIT)
        except OSError:  # full, or shut down by the child
            return False
        return True

    def take_back(self, most: int) -> list[bytes]:
        """Return the packets that the child has not taken, at most so many; it will never."""
        found: list[bytes] = []
        with contextlib.suppress(OSError):  # there are no more
            while len(found) < most:
                packet = self._childs_ahead.recv(PACKET_BYTES, socket.MSG_DONTWAIT)
                if not packet:
                    break
                found.append(packet)
        return found

    def listen(self) -> bytes:
        """Return all that the child has said quietly since; it may be nothing."""
        try:
            return os.read(self._quiet, _QUIET_MOST_BYTES)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Close all ends; twice is safe."""
        self._ahead.close()
        self._childs_ahead.close()
        for descriptor in (self._quiet, self._childs_quiet):
            if descriptor >= 0:
                os.close(descriptor)
        self._quiet = self._childs_quiet = -1


class ChildsSideWays:
    """The child's side."""

    def __init__(self, ahead: int, quiet: int) -> None:
        self._ahead = socket.socket(fileno=_move_up(ahead))
        self._quiet = _move_up(quiet)
        os.set_blocking(self._quiet, False)

    @classmethod
    def take(cls, channel: Channel) -> ChildsSideWays | None:
        """Take what the owner gives, before anything else is received; None if it has none."""
        given = channel.receive_descriptors(_DESCRIPTORS)
        return cls(*given) if len(given) == _DESCRIPTORS else None

    def take_ahead(self) -> bytes | None:
        """Return the next packet, which is then this process's alone; None when there is none.

        Raises:
            ChannelClosedError: The way has been closed in this process.
        """
        try:
            return self._ahead.recv(PACKET_BYTES, socket.MSG_DONTWAIT) or None
        except BlockingIOError:
            return None
        except OSError as error:
            raise ChannelClosedError(f"the way ahead is gone: {error}") from error

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
        """Close both, as a fork must; twice is safe."""
        self._ahead.close()
        if self._quiet >= 0:
            with contextlib.suppress(OSError):
                os.close(self._quiet)
            self._quiet = -1


def _move_up(descriptor: int) -> int:
    """Give it a high number, which code that closes "the first few" does not meet."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH_DESCRIPTOR)
    os.close(descriptor)
    return moved
