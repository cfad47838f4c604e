"""`python -m runtime.worker`: one worker process."""

from __future__ import annotations

import sys

from runtime.telemetry import lone_structlog  # noqa: F401 - before anybody imports structlog
from runtime.worker.boot import main

if __name__ == "__main__":
    sys.exit(main())
