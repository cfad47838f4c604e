"""`python -m gateway.serving`: gunicorn with the gateway's configuration, and its flags.

Gunicorn puts the working folder before everything else on the module path before it reads its
configuration; a project's own `gateway` or `redis` would be taken for ours. Where the folder
stands on the path already gunicorn leaves it there, and a gateway process takes it away.
"""

from __future__ import annotations

import sys

from gunicorn.app.wsgiapp import run  # type: ignore[import-untyped]
from gunicorn.util import getcwd  # type: ignore[import-untyped]

from runtime.processes.module_path import leave_out_working_folder


def main() -> None:
    """Serve until a signal ends it."""
    leave_out_working_folder()
    sys.path.append(getcwd())
    sys.argv[1:1] = ["--config", "python:gateway.server"]
    run(prog="gunicorn")


if __name__ == "__main__":
    main()
