"""Import structlog without rich, which it would load to draw tracebacks for a terminal.

The entry modules of the processes that run for long import this one first: our log lines
use none of it, and it takes 5 MB and 60 ms in each of them. Whoever imports rich later gets it.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_NAME = "rich"


def _import_structlog() -> None:
    if _NAME in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules[_NAME] = None  # the import system's own way to say: not to be found
    try:
        importlib.import_module("structlog")
    finally:
        del modules[_NAME]


_import_structlog()
