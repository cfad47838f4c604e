"""Steps: what the client's logic asks of the network, without doing it itself.

The logic is written once, as generators (flows). A flow yields steps and is sent the reply to each;
`sync_client` and `async_client` perform them. So a flow never blocks and knows no HTTP library.

    Send(request)   → Answer or Lost
    Open(request)   → Answer or Lost; the body of a 200 is left to `Read`
    Read()          → the next piece of the body that was opened, or Lost at its end
    Pause(seconds)  → None
    Emit(value)     → None; the value goes to the caller, who iterates
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from penstock.client.errors import NotPenstockError

T = TypeVar("T")
Query: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request, without the address of the system and the key.

    Attributes:
        wait_s: How long the answer may be held back (`Prefer: wait`), in seconds; 0 asks for none.
    """

    method: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait_s: int = 0

    @property
    def target(self) -> str:
        """The path with the query."""
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")

    @property
    def sent_headers(self) -> dict[str, str]:
        """All headers, with the preference to wait."""
        return {**self.headers, **({"Prefer": f"wait={self.wait_s}"} if self.wait_s else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the JSON value of the body.

        Raises:
            NotPenstockError: The body is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NotPenstockError(
                f"the answer (HTTP status {self.status}) is not JSON; "
                "is this the address of a Penstock system?"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """No answer came, or no more of it; whether the request arrived is unknown."""

    reason: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and read the whole answer."""

    request: Request


@dataclass(frozen=True, slots=True)
class Open:
    """Send a request whose answer is read in pieces; what was opened before is closed."""

    request: Request


@dataclass(frozen=True, slots=True)
class Read:
    """Read the next piece of what was opened."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand a value to the caller."""

    value: Any


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The flow has ended with this value."""

    value: T


Step: TypeAlias = Send | Open | Read | Pause | Emit
Flow: TypeAlias = Generator[Step, Any, T]


def advance(flow: Flow[T], reply: object) -> Step | Done[T]:
    """Send a flow the reply to its last step (None at first); return its next step."""
    try:
        return flow.send(reply)
    except StopIteration as end:
        return Done(end.value)


def path_to(*parts: str) -> str:
    """Return the path of the parts; special characters in them are percent-encoded.

    So are the dots of `.` and `..`: httpx would take them for steps between folders.
    """
    return "".join("/" + _quoted(part) for part in parts)


def _quoted(part: str) -> str:
    return part.replace(".", "%2E") if part in {".", ".."} else quote(part, safe="")
