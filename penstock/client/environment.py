"""The variables that name a system: `PENSTOCK_URL` and `PENSTOCK_KEY`.

They are settings (`runtime.settings`) that the commands read, too. The client reads them here,
because it works where the rest of Penstock is not imported.
"""

from __future__ import annotations

import os

USUAL_URL = "http://127.0.0.1:8000"


def read_url() -> str:
    """Return the base URL of the system."""
    return os.environ.get("PENSTOCK_URL") or USUAL_URL


def read_key() -> str:
    """Return the API key to send; empty if there is none."""
    return os.environ.get("PENSTOCK_KEY", "")
