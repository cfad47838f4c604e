"""Hold the interpreter where no signal handler of Python can run."""

from __future__ import annotations

import re

from penstock import function


@function(timeout="1s")
def hold_interpreter() -> bool:
    """Match for ever, inside C code."""
    return bool(re.match(r"(a+)+$", "a" * 50 + "b"))
