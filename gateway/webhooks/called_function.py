"""The function that a request would call, found by its path before the request is routed."""

from __future__ import annotations

_ENVELOPED = "/functions/"
_RAW = ("/function/", "/async-function/")


def called_function(method: str, path: str) -> str | None:
    """Return the name in the path of a call; None if the request calls no function.

    A batch is none: one signature cannot stand for many calls.
    """
    if path.startswith(_ENVELOPED):
        name = path[len(_ENVELOPED) :]
        return name if method == "POST" and name and "/" not in name else None
    for prefix in _RAW:
        if path.startswith(prefix):
            return path[len(prefix) :].partition("/")[0] or None
    return None
