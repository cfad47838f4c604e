"""What OpenFaaS's own OpenAPI document says of its answers holds for ours.

The document is not in this repository: name a copy of `api-docs/spec.openapi.yml` of its
repository in OPENFAAS_DOCUMENT to have schemathesis try it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.settings import read_environment
from tests.support.system import running_system

_COMMAND = "from schemathesis.cli import schemathesis; schemathesis()"
_DOCUMENT = read_environment().get("OPENFAAS_DOCUMENT", "")
# Ours answers 501, which its document does not have, or does not have it at all; and the document
# has one secret for a list of them.
_NOT_OFFERED = [
    *("UpdateFunction", "DeployFunction", "DeleteFunction", "ScaleFunction", "ScaleAlert"),
    *("UpdateSecret", "CreateSecret", "DeleteSecret", "ListSecrets", "metrics"),
]


@pytest.mark.skipif(not _DOCUMENT, reason="OPENFAAS_DOCUMENT names no copy of the document")
def test_answers_are_those_of_the_document(tmp_path: Path):
    report = tmp_path / "report.json"
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "repeat.py").write_text("def handle(req):\n    return req\n")
    with running_system(tmp_path, functions=functions) as system:
        ran = subprocess.run(
            [
                *(sys.executable, "-c", _COMMAND, "run", str(Path(_DOCUMENT).resolve())),
                *("--url", system.base_url, "--no-color", "--seed", "1", "--warnings", "off"),
                *("--checks", "not_a_server_error,response_schema_conformance"),
                *("--checks", "status_code_conformance,content_type_conformance"),
                *("--phases", "examples,coverage,fuzzing", "--max-examples", "20"),
                *("--mode", "positive", "--continue-on-failure"),
                *("--report", "json", "--report-json-path", str(report)),
                *(word for one in _NOT_OFFERED for word in ("--exclude-operation-id", one)),
            ],
            env={**read_environment(), "SCHEMATHESIS_HOOKS": "tests.boundary.openfaas_hooks"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    found = json.loads(report.read_text()) if report.exists() else {}
    assert ran.returncode == 0, f"{ran.stdout[-6000:]}\n{ran.stderr[-2000:]}"
    assert found["test_cases"]["generated"] > 100
