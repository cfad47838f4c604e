"""A running system as the commands see it: where it is, and asking it over HTTP.

Used by every command but `up` and `new`. No answer is one kind of error
(UNREACHABLE), an answer that is a problem another (REFUSED), and both are told in a
sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from gateway.cli.command_error import CommandError
from gateway.cli.exit_codes import ExitCode
from gateway.cli.listening import url_of
from gateway.cli.state_file import read_state
from runtime.settings import read_settings

_ANSWER_LIMIT_S = 75.0  # a little more than the longest wait a caller may ask for
_FIRST_ERROR = 400
_UNAVAILABLE = 503

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
    """What the system answered."""

    status: int
    media_type: str
    body: bytes

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
    """Asks the system at one base address."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
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
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(host, port, timeout=_ANSWER_LIMIT_S)
        self._prefix = parts.path

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return the answer, whatever it says.

        Raises:
            CommandError: Nobody answers.
        """
        try:
            self._connection.request(method, self._prefix + path, body, dict(headers or {}))
            response = self._connection.getresponse()
            media_type = response.headers.get_content_type()
            return Answer(status=response.status, media_type=media_type, body=response.read())
        except (OSError, HTTPException) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise CommandError(
                f"no system answers at {self.url} ({(reason or str(error)).lower()}); start one "
                "with `penstock up`, or say where it is with --url",
                exit_code=ExitCode.UNREACHABLE,
            ) from error

    def get(self, path: str) -> Answer:
        """Return the answer to a GET that must succeed.

        Raises:
            CommandError: Nobody answers, or the answer is a problem.
        """
        return accept(self.ask("GET", path))


def find_system(url: str | None, data: Path | None = None) -> System:
    """Return the system that the flags name, else the settings, else the one `up` runs here."""
    if url:
        return System(url)
    settings = read_settings(data=data)
    named = bool(settings.model_fields_set & {"host", "port"}) and data is None
    state = None if named else read_state(settings.data)
    return System(state.url if state else url_of(settings.host, settings.port))


def accept(answer: Answer) -> Answer:
    """Return the answer unless it is a problem.

    Raises:
        CommandError: It is one.
    """
    if answer.status < _FIRST_ERROR:
        return answer
    unavailable = answer.status == _UNAVAILABLE
    raise CommandError(
        describe_problem(answer),
        exit_code=ExitCode.UNREACHABLE if unavailable else ExitCode.REFUSED,
    )


def describe_problem(answer: Answer) -> str:
    """Return a problem in a sentence, with every wrong argument."""
    try:
        problem = json.loads(answer.body)
        errors = problem.get("errors", [])
        said = problem.get("title") if errors else problem.get("detail") or problem.get("title")
        faults = [f"\n  {one.get('pointer') or '/'}: {one['detail']}" for one in errors]
    except (ValueError, AttributeError, KeyError, TypeError):
        return f"the system answered with HTTP status {answer.status}"
    return f"{said} ({problem.get('code', answer.status)})" + "".join(faults)
