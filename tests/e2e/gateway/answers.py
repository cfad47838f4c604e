"""What an answer says, for tests of the gateway."""

from __future__ import annotations

import httpx


def code_of(answer: httpx.Response) -> tuple[int, str | None]:
    """Return the status of an answer, and the code of the problem that it is."""
    return answer.status_code, answer.json().get("code")
