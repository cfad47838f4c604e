"""Which environment variables reach user code: a few harmless ones, and those allowed by name."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Mapping

_HARMLESS = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR"})


def clean_environment(source: Mapping[str, str], allowed: Iterable[str] = ()) -> dict[str, str]:
    """Return what of `source` children may see.

    Args:
        source: The environment of this process.
        allowed: Further names, chosen by the operator (`settings.function_env`).
    """
    names = _HARMLESS | set(allowed)
    return {k: v for k, v in source.items() if k in names or k.startswith("LC_")}


_PR_SET_DUMPABLE = 4


def hide_from_own_user() -> None:
    """Refuse other processes of this user our environment, memory and descriptors (Linux).

    It holds until the next exec, and for forks; there is no core file either.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
