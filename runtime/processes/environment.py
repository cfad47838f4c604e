"""Keep the secrets of our processes away from function code.

`clean_environment` chooses the environment variables that child processes get: a few harmless ones
and those that the operator allows by name. `hide_from_own_user` stops other processes of the same
user, such as a running function, from reading a process's environment and memory through /proc or
ptrace. The gateway, the workers, the supervisor and the fork servers call it when they start.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Mapping

_HARMLESS = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR"})
_PR_SET_DUMPABLE = 4


def clean_environment(source: Mapping[str, str], allowed: Iterable[str] = ()) -> dict[str, str]:
    """Return the variables in `source` that child processes get.

    Args:
        source: The environment of this process.
        allowed: Further names, chosen by the operator (`settings.function_env`).
    """
    names = _HARMLESS | set(allowed)
    return {k: v for k, v in source.items() if k in names or k.startswith("LC_")}


def hide_from_own_user() -> None:
    """Deny other processes of this user our environment, memory and descriptors (Linux).

    Forked children inherit this; an exec resets it. The process also writes no core file.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
