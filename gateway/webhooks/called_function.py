"""The function that a request would call, found by its path before the request is routed."""

from __future__ import annotations

_ENVELOPED = "/functions/"
_RAW = ("/function/", "/async-function/")


def called_function(method: str, path: str) -> str | None:
    """Return the name in the path of a call; None if the request calls no function.

    A batch calls none: its path has a second part, which no function's name contains.
    """
    if path.startswith(_ENVELOPED):
        return path[len(_ENVELOPED) :] if method == "POST" else None
    for prefix in _RAW:
        if path.startswith(prefix):
            return path[len(prefix) :].partition("/")[0]
    return None
