"""Commands of several words."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from gateway.cli.command_group import command_group

said: list[str] = []
group = command_group("Do things to things.")


@group.command("ls")
def list_things(*, loud: bool = False) -> None:
    """List."""
    said.append(f"ls {loud}")


@group.command()
def show(name: str) -> None:
    """Show."""
    said.append(f"show {name}")


def run_command(*words: str) -> tuple[int, list[str], str]:
    program = typer.Typer(rich_markup_mode=None)
    program.add_typer(group, name="things")
    program.command("other")(lambda: None)
    said.clear()
    result = CliRunner().invoke(program, ["things", *words])
    return result.exit_code, list(said), result.output


def test_without_a_word_it_lists():
    assert run_command()[:2] == (0, ["ls False"])
    assert run_command("--loud")[:2] == (0, ["ls True"])


def test_a_word_is_done():
    assert run_command("show", "a")[:2] == (0, ["show a"])
    assert run_command("ls", "--loud")[:2] == (0, ["ls True"])


def test_help_names_the_words():
    code, _, output = run_command("--help")

    assert code == 0
    assert "show" in output


def test_a_wrong_word_is_a_wrong_use():
    assert run_command("shwo")[:2] == (2, [])
    assert run_command("--loud", "show", "a")[:2] == (2, [])
