"""A function that answers HTTP itself, by two methods."""

from __future__ import annotations

from penstock import Response, function


@function(methods=["GET", "POST"])
def greeting(name: str, times: int = 1) -> Response:
    """Greet in XML, or find nobody to greet."""
    if not name:
        return Response("Nobody.", status=404)
    return Response(f"<greeting>{'Hi ' * times}{name}</greeting>", media_type="text/xml")
