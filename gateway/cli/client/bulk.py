"""Doing one thing to several ids: what is refused is told, and the rest still done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.cli.client.api_client import System, accept, path_to
from gateway.cli.errors import CommandError
from gateway.cli.exit_codes import ExitCode
from gateway.cli.tables import note


def ask_each(
    system: System,
    method: str,
    ids: Sequence[str],
    *,
    under: str,
    verb: str = "",
    body: bytes | None = None,
) -> tuple[list[dict[str, Any]], ExitCode]:
    """Ask for every id at `/<under>/<id>[/<verb>]`; return the answers and the exit code.

    Of an answer without content the id is returned.

    Raises:
        CommandError: Nobody answers.
    """
    answers = []
    headers = {"Content-Type": "application/json"} if body else {}
    code = ExitCode.OK
    for one in dict.fromkeys(ids):
        path = path_to(under, one, verb) if verb else path_to(under, one)
        try:
            answer = accept(system.ask(method, path, body=body, headers=headers))
            answers.append(answer.json() if answer.body else {"id": one})
        except CommandError as error:
            if error.exit_code != ExitCode.REFUSED:
                raise
            note(f"penstock: {one}: {error}")
            code = ExitCode.REFUSED
    return answers, code
