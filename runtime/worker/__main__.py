"""`python -m runtime.worker` runs one worker process."""

from __future__ import annotations

import sys

from runtime.processes.module_path import leave_out_working_folder

leave_out_working_folder()  # `python -m` puts it at the front of sys.path

from runtime.telemetry import structlog_without_rich  # noqa: E402, F401 - before the first import of structlog
from runtime.worker.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
