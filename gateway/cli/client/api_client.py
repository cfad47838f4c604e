"""A client for a running system: finds its base URL and sends it HTTP requests.

Used by every command but `up`, `worker` and `new`. If nothing answers, commands exit with
UNREACHABLE; if the answer is a problem, with REFUSED (UNREACHABLE for a 503). Both are
reported in one sentence.
"""

from __future__ import annotations

import json
import select
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from gateway.cli.errors import CommandError, ExitCode, UsageError, describe_problem
from gateway.cli.tables import note
from gateway.cli.up.data_folder import read_state
from gateway.cli.up.listener import url_of
from runtime.settings import are_set, read_settings, unknown_variables

_ANSWER_LIMIT_S = 75.0  # more than the longest `Prefer: wait` that the gateway accepts
_FIRST_ERROR = 400
_UNAVAILABLE = 503
Query = Sequence[tuple[str, str]]
JSON_BODY = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the system; header names are in lower case."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def retry_after_s(self) -> int:
        """The `Retry-After` of the answer in seconds; 0 if it has none."""
        text = self.headers.get("retry-after", "")
        return int(text) if text.isdecimal() else 0

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the JSON value of the body.

        Raises:
            CommandError: The body is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise CommandError(
                "the answer is not JSON; is this the address of a Penstock system?",
                exit_code=ExitCode.UNREACHABLE,
            ) from error


class System:
    """Sends requests to the system at one base URL, on one kept connection.

    Args:
        url: The base URL.
        flags: The command-line flags that select this system, for hints.
        key: The API key to send; empty sends none.
    """

    def __init__(self, url: str, *, flags: str = "", key: str = "") -> None:
        self.url = url.rstrip("/")
        self.flags = flags
        parts = urlsplit(self.url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme not in {"http", "https"} or not host:
            raise UsageError(f"not the address of a system: {url!r}; write http://host:port")
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = host, port
        self._connection = self._kind(host, port, timeout=_ANSWER_LIMIT_S)
        self._prefix = parts.path
        self._key = {"Authorization": f"Bearer {key}"} if key else {}

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return the answer, even if it is a problem.

        Raises:
            CommandError: The system does not answer.
        """
        target = self._prefix + path + (f"?{urlencode(query)}" if query else "")
        sock = self._connection.sock
        if sock is not None and select.select([sock], [], [], 0)[0]:
            self._connection.close()  # the server closed it while this command was idle
        try:
            self._connection.request(method, target, body, {**self._key, **(headers or {})})
            return read_answer(self._connection.getresponse())
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise self.unreachable(error) from error

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        self._connection.close()

    def get(self, path: str, query: Query = ()) -> Answer:
        """Send a GET request and return its answer.

        Raises:
            CommandError: The system does not answer, or the answer is a problem.
        """
        return accept(self.ask("GET", path, query=query))

    def send(self, method: str, path: str, value: object = None, *, query: Query = ()) -> Any:  # noqa: ANN401
        """Send a request, with a JSON value unless it is None; return the JSON of its answer.

        An answer without a body gives None.

        Raises:
            CommandError: The system does not answer, or the answer is a problem.
        """
        body, headers = (None, {}) if value is None else (json.dumps(value).encode(), JSON_BODY)
        answer = accept(self.ask(method, path, query=query, body=body, headers=headers))
        return answer.json() if answer.body else None

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str], *, silence_s: float
    ) -> Iterator[HTTPResponse]:
        """Yield the answer to a GET request as it arrives, on a connection of its own.

        Raises:
            OSError: The system does not answer, or nothing arrived for `silence_s` seconds.
            HTTPException: The answer is not HTTP.
        """
        with closing(self._kind(self._host, self._port, timeout=silence_s)) as connection:
            connection.request("GET", self._prefix + path, headers={**self._key, **headers})
            with closing(connection.getresponse()) as response:
                yield response

    def unreachable(self, error: Exception) -> CommandError:
        """Return the error for a system that does not answer."""
        reason = error.strerror if isinstance(error, OSError) else None
        return CommandError(
            f"no system answers at {self.url} ({(reason or str(error)).lower()}); start one "
            "with `penstock up`, or give its address with --url",
            exit_code=ExitCode.UNREACHABLE,
        )

    def hint(self, *words: str) -> str:
        """Return a command line that addresses this same system."""
        return " ".join(("penstock", *map(shlex.quote, words), *filter(None, [self.flags])))


def read_answer(response: HTTPResponse) -> Answer:
    """Read a whole answer."""
    return Answer(
        status=response.status,
        media_type=response.headers.get_content_type(),
        body=response.read(),
        headers={name.lower(): value for name, value in response.headers.items()},
    )


def path_to(*parts: str) -> str:
    """Return the path of the parts; special characters in them are percent-encoded."""
    return "".join("/" + quote(part, safe="") for part in parts)


def find_system(url: str | None, data: Path | None = None) -> System:
    """Return the system: from the flags, else the settings, else the `up` on the data folder."""
    settings = read_settings(data=data)
    for reported in unknown_variables(for_functions=settings.function_env):
        note(f"penstock: {reported}")
    if url:
        return System(url, flags=f"--url {shlex.quote(url)}", key=settings.key)
    if settings.url and data is None:
        return System(settings.url, key=settings.key)
    named = data is None and are_set("host", "port")
    state = None if named else read_state(settings.data)
    flags = f"--data {shlex.quote(str(data))}" if data else ""
    return System(
        state.url if state else url_of(settings.host, settings.port), flags=flags, key=settings.key
    )


def accept(answer: Answer) -> Answer:
    """Return the answer if it is not a problem.

    Raises:
        CommandError: The answer is a problem.
    """
    if answer.status < _FIRST_ERROR:
        return answer
    unavailable = answer.status == _UNAVAILABLE
    raise CommandError(
        describe_problem(answer.status, answer.body),
        exit_code=ExitCode.UNREACHABLE if unavailable else ExitCode.REFUSED,
    )
