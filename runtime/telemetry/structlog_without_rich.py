"""Import structlog without rich, which structlog would load to draw tracebacks for a terminal.

The entry modules of long-running processes import this module first: our log lines do not use rich,
and it costs 5 MB and 60 ms in each process. A later import of rich works as usual.
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
    modules[_NAME] = None  # makes `import rich` raise ModuleNotFoundError
    try:
        importlib.import_module("structlog")
    finally:
        del modules[_NAME]


_import_structlog()
