"""A ticker in a process of its own, to be killed: `python ticker_process.py <Redis URL>`."""

from __future__ import annotations

import sys

from tests.support.upkeeping import ticker, upkeep_of

if __name__ == "__main__":
    upkeep_of(sys.argv[1], ticker).start()
    sys.stdin.read()  # until the test closes it or is gone
