"""`python -m runtime.worker`: one worker process."""

from __future__ import annotations

import sys

from runtime.processes.own_modules import leave_out_working_folder

leave_out_working_folder()  # `python -m` has put it first

from runtime.telemetry import lone_structlog  # noqa: E402, F401 - before anybody imports structlog
from runtime.worker.boot import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
