"""A ticker in a process of its own, to be killed: `python ticker_process.py <Redis URL>`."""

from __future__ import annotations

import sys

from runtime.schedules.ticker import Ticker
from runtime.store.line import Line

if __name__ == "__main__":
    Ticker(Line(sys.argv[1])).start()
    sys.stdin.read()  # until the test closes it or is gone
