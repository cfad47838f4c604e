"""`python -m gateway.serving`: gunicorn with the gateway's configuration; takes gunicorn's flags.

Gunicorn puts the working folder at the front of the module path before it reads its
configuration, so a project's own `gateway` or `redis` would be imported instead of ours. If the
folder is on the path already, gunicorn leaves it where it is. So it is appended here, and each
gateway process removes it (`gateway.server.post_fork`).
"""

from __future__ import annotations

import sys

from gunicorn.app.wsgiapp import run  # type: ignore[import-untyped]
from gunicorn.util import getcwd  # type: ignore[import-untyped]

from runtime.processes.module_path import leave_out_working_folder


def main() -> None:
    """Run gunicorn until a signal stops it."""
    leave_out_working_folder()
    sys.path.append(getcwd())
    sys.argv[1:1] = ["--config", "python:gateway.server"]
    run(prog="gunicorn")


if __name__ == "__main__":
    main()
