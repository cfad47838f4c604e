"""The table of commands, as `penstock --help` shows it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gateway.cli.main import COMMANDS

ROOT = Path(__file__).parents[4]
HELP = """
import sys
from gateway.cli.main import main
sys.argv = ["penstock", "--help"]
try:
    main()
finally:
    print("imported", *{name.partition(".")[0] for name in sys.modules})
"""


def test_help_has_a_sentence_for_every_command_and_imports_none_of_them():
    shown = subprocess.run(
        [sys.executable, "-c", HELP],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={"COLUMNS": "120", "PYTHONPATH": str(ROOT)},
        text=True,
    ).stdout

    text, _, imported = shown.partition("imported")
    rows = {line.split()[0]: line for line in text.splitlines() if line.startswith("  ")}
    assert [c.name for c in COMMANDS if c.summary not in rows.get(c.name, "")] == []
    assert "Exit codes" in text
    assert not {"rich", "pydantic", "http", "falcon", "redis"} & set(imported.split())
