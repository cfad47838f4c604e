"""Run a command without root's right to look into any process, so that being root proves nothing.

python -m tests.support.without_ptrace COMMAND…
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_CAPBSET_DROP = 24
_CAP_SYS_PTRACE = 19
_MAY_READ_TOO = (21, 38)  # CAP_SYS_ADMIN and CAP_PERFMON, by newer kernels

if __name__ == "__main__":
    for right in (_CAP_SYS_PTRACE, *_MAY_READ_TOO):
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, right, 0, 0, 0)
    os.execv(sys.argv[1], sys.argv[1:])
