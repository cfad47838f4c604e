"""Keeping what a process knows to itself: its environment holds addresses and secrets.

User code runs as the same user as the worker that started it. On Linux that user could read
`/proc/<pid>/environ` and the memory of any process of its own, unless the process says no.
Whoever holds secrets does: workers, gateways and the supervisor. So does the fork server, and by
it the runners, which hold the arguments of others.
"""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def hide_from_own_user() -> None:
    """Refuse other processes of this user our environment, memory and descriptors (Linux).

    It holds until the next exec, and for forks; there is no core file either.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
