"""`python -m runtime.worker`: one worker process."""

from __future__ import annotations

import sys

from runtime.worker.boot import main

if __name__ == "__main__":
    sys.exit(main())
