"""The example of docs/functions-that-wait.md in the whole system: 500 texts for a model's API."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from functions.embedding import AT_ONCE
from tests.e2e.conftest import ROOT
from tests.support.embedding_api import embedding_api, vector_of
from tests.support.system import System, running_system
from tests.support.waiting import eventually

TEXTS = [
    *(f"text {number}" for number in range(470)),
    *(f"busy {number}" for number in range(20)),
    *(f"refused {number}" for number in range(10)),
]


def vectors_of(system: System, batch_id: str) -> dict[str, Any]:
    """Return the results of a batch, by text."""
    found: dict[str, Any] = {}
    cursor = ""
    while True:
        page = system.http.get(f"/batches/{batch_id}?limit=100{cursor}").json()
        found |= {item["arguments"]["text"]: item["result"] for item in page["items"]}
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def test_500_texts_are_asked_for_as_the_api_allows(tmp_path: Path):
    functions = tmp_path / "functions"
    functions.mkdir()
    shutil.copy(ROOT / "functions/embedding.py", functions)
    with (
        embedding_api(pause_s=0.1) as api,
        running_system(
            tmp_path,
            *("--workers", "1"),
            functions=functions,
            environment={"PENSTOCK_FUNCTION_ENV": "EMBEDDING_URL", "EMBEDDING_URL": api.url},
        ) as system,
    ):
        body = "\n".join(json.dumps({"text": text}) for text in TEXTS)
        headers = {"Content-Type": "application/x-ndjson"}
        answer = system.http.post("/functions/embedding/batch", content=body, headers=headers)

        batch = eventually(lambda: system.finished_batch(answer.json()["id"]), within_s=40)
        vectors = vectors_of(system, batch["id"])

    assert {k: n for k, n in batch["counts"].items() if n} == {"succeeded": 490, "failed": 10}
    assert vectors == {
        text: None if text.startswith("refused") else vector_of(text) for text in TEXTS
    }
    assert {text: n for text, n in api.asked.items() if n > 1} == {
        text: 2 for text in TEXTS if text.startswith("busy")
    }
    assert api.peak <= AT_ONCE
    assert api.connections < len(TEXTS)
