"""A process whose clock is wrong, as on a host whose clock is: libfaketime, loaded before all else.

It shifts what the C library tells of the time of day, for the process and its children, and leaves
the monotonic clock alone.
"""

from __future__ import annotations

from pathlib import Path

_FOLDERS = ("/usr/lib", "/usr/local/lib", "/opt/homebrew/lib")
NAMES = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")


def find_library() -> Path | None:
    """Return libfaketime, if it is installed (`apt-get install libfaketime`)."""
    for folder in _FOLDERS:
        for found in Path(folder).rglob("libfaketimeMT.so.1"):
            return found
    return None


def shifted_by(seconds: int) -> dict[str, str]:
    """Return the environment of a process whose clock is wrong by so much; runners included."""
    library = find_library()
    assert library is not None, "this scenario needs libfaketime: apt-get install libfaketime"
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PENSTOCK_FUNCTION_ENV": ",".join(NAMES),
    }
