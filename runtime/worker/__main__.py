"""`python -m runtime.worker`: one worker process."""

from __future__ import annotations

import sys

from runtime.processes.module_path import leave_out_working_folder

leave_out_working_folder()  # `python -m` has put it first

from runtime.telemetry import structlog_without_rich  # noqa: E402, F401 - before anybody imports structlog
from runtime.worker.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
