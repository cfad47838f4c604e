"""A command takes a group of options as one parameter, and typer sees each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.option_groups import spread_groups


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something is."""

    url: Annotated[str, typer.Option("--url", help="Where it is.")] = "here"
    is_json: Annotated[bool, typer.Option("--json")] = False


@pytest.fixture
def run():
    taken: list[tuple[str, Place, int]] = []
    app = typer.Typer()

    @app.command()
    @spread_groups
    def show(
        name: Annotated[str, typer.Argument()],
        place: Place,
        count: Annotated[int, typer.Option("--count")] = 1,
    ) -> None:
        """Show a thing."""
        taken.append((name, place, count))

    def run(*words: str) -> tuple[str, Place, int]:
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        return taken[-1] if taken else (result.output, Place(), 0)

    return run


def test_options_of_a_group_arrive_as_the_group(run):
    assert run("a", "--url", "there", "--json") == ("a", Place(url="there", is_json=True), 1)


def test_options_that_are_not_given_have_their_defaults(run):
    assert run("a", "--count", "2") == ("a", Place(), 2)


def test_help_shows_each_option_and_the_commands_own_words(run):
    output, _, _ = run("--help")

    assert "Show a thing." in output
    assert all(option in output for option in ("--url", "--json", "--count", "Where it is."))
