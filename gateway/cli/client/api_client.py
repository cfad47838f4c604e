"""A running system as the commands see it: where it is, and asking it over HTTP.

Used by every command but `up` and `new`. No answer is one kind of error
(UNREACHABLE), an answer that is a problem another (REFUSED), and both are told in a
sentence.
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
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

import typer

from gateway.cli.errors import CommandError, ExitCode, describe_problem
from gateway.cli.tables import note
from gateway.cli.up.data_folder import read_state
from gateway.cli.up.listener import url_of
from runtime.settings import are_set, read_settings, unknown_variables

_ANSWER_LIMIT_S = 75.0  # a little more than the longest wait a caller may ask for
_FIRST_ERROR = 400
_UNAVAILABLE = 503
Query = Sequence[tuple[str, str]]

UrlOption = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Base address of the system.", show_default=False),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="Data folder of a running `up`. [PENSTOCK_DATA, else .penstock]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the system answered; names of headers are in lower case."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def retry_after_s(self) -> int:
        """How long to wait before asking again; 0 where the system does not say."""
        text = self.headers.get("retry-after", "")
        return int(text) if text.isdecimal() else 0

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the body as a value."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise CommandError(
                "the answer is not JSON: is that address a Penstock?",
                exit_code=ExitCode.UNREACHABLE,
            ) from error


class System:
    """Asks the system at one base address.

    Args:
        url: The base address.
        flags: How a person names it on a command line, for hints at the next command.
        key: The API key to show.
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
            raise CommandError(
                f"not an address of a system: {url!r}; write http://host:port",
                exit_code=ExitCode.USAGE,
            )
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
        """Send one request and return the answer, whatever it says.

        Raises:
            CommandError: Nobody answers.
        """
        target = self._prefix + path + (f"?{urlencode(query)}" if query else "")
        sock = self._connection.sock
        if sock is not None and select.select([sock], [], [], 0)[0]:
            self._connection.close()  # the system did, while this command was idle
        try:
            self._connection.request(method, target, body, {**self._key, **(headers or {})})
            return read_answer(self._connection.getresponse())
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise self.unreachable(error) from error

    def close(self) -> None:
        """Close the connection; asking again makes another."""
        self._connection.close()

    def get(self, path: str, query: Query = ()) -> Answer:
        """Return the answer to a GET that must succeed.

        Raises:
            CommandError: Nobody answers, or the answer is a problem.
        """
        return accept(self.ask("GET", path, query=query))

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str], *, silence_s: float
    ) -> Iterator[HTTPResponse]:
        """Give the answer to a GET as it comes, on a connection of its own.

        Raises:
            OSError: Nobody answers, or nothing came for `silence_s`.
            HTTPException: What came is not HTTP.
        """
        with closing(self._kind(self._host, self._port, timeout=silence_s)) as connection:
            connection.request("GET", self._prefix + path, headers={**self._key, **headers})
            with closing(connection.getresponse()) as response:
                yield response

    def unreachable(self, error: Exception) -> CommandError:
        """Return what to tell when nobody answers."""
        reason = error.strerror if isinstance(error, OSError) else None
        return CommandError(
            f"no system answers at {self.url} ({(reason or str(error)).lower()}); start one "
            "with `penstock up`, or say where it is with --url",
            exit_code=ExitCode.UNREACHABLE,
        )

    def hint(self, *words: str) -> str:
        """Return a command line that asks this same system."""
        return " ".join(("penstock", *map(shlex.quote, words), *filter(None, [self.flags])))


def read_answer(response: HTTPResponse) -> Answer:
    """Read an answer to its end."""
    return Answer(
        status=response.status,
        media_type=response.headers.get_content_type(),
        body=response.read(),
        headers={name.lower(): value for name, value in response.headers.items()},
    )


def path_to(*parts: str) -> str:
    """Return the path of parts that people typed; what is special in a path is quoted."""
    return "".join("/" + quote(part, safe="") for part in parts)


def find_system(url: str | None, data: Path | None = None) -> System:
    """Return the system that the flags name, else the settings, else the one `up` runs here."""
    settings = read_settings(data=data)
    for reported in unknown_variables(for_functions=settings.function_env):
        note(f"penstock: {reported}")
    if url:
        return System(url, flags=f"--url {shlex.quote(url)}", key=settings.key)
    named = data is None and are_set("host", "port")
    state = None if named else read_state(settings.data)
    flags = f"--data {shlex.quote(str(data))}" if data else ""
    return System(
        state.url if state else url_of(settings.host, settings.port), flags=flags, key=settings.key
    )


def accept(answer: Answer) -> Answer:
    """Return the answer unless it is a problem.

    Raises:
        CommandError: It is one.
    """
    if answer.status < _FIRST_ERROR:
        return answer
    unavailable = answer.status == _UNAVAILABLE
    raise CommandError(
        describe_problem(answer.status, answer.body),
        exit_code=ExitCode.UNREACHABLE if unavailable else ExitCode.REFUSED,
    )
