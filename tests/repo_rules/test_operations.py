"""What docs/operations tells of metrics and logs is what the code has."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.metrics.table import METRICS, Metric
from tests.support.metrics_page import PAGE, replace_table

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations"
DASHBOARD = OPERATIONS / "grafana-dashboard.json"
ALERTS = OPERATIONS / "alerts.yaml"
_NAME = re.compile(r"\bpenstock_[a-z_]+")
_EVENT = re.compile(r"(?:invocation|cancellation|late_result|queue|batch)(?:_[a-z]+)+")
_GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
_MATCHING = re.compile(r"\{(.*?)\}")


def names_in(metric: Metric) -> set[str]:
    """Return the names that queries may use for it."""
    parts = {"histogram": ("bucket", "sum", "count"), "summary": ("sum", "count")}
    if metric.kind in parts:
        return {f"{metric.name}_{part}" for part in parts[metric.kind]}
    return {metric.name}


KNOWN = {name: metric for metric in METRICS for name in names_in(metric)}


def queries() -> dict[str, str]:
    """Return every query of the dashboard and the alerts by where it stands."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = {
        f"panel {panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found[f"variable {variable['name']}"] = variable["definition"]
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]:
        found |= {f"alert {rule['alert']}": rule["expr"] for rule in group["rules"]}
    return found


def test_the_page_s_table_of_metrics_is_current():
    text = PAGE.read_text(encoding="utf-8")

    assert replace_table(text) == text, "run `make docs`"


def test_names_follow_prometheus_s_conventions():
    for metric in METRICS:
        assert re.fullmatch(r"penstock_[a-z]+(_[a-z]+)*", metric.name)
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert "_ms" not in metric.name
        assert metric.help.endswith(".") or metric.name == "penstock_build_info"
    assert len({metric.name for metric in METRICS}) == len(METRICS)


@pytest.mark.parametrize("where", queries())
def test_a_query_uses_metrics_and_labels_of_the_table(where: str):
    query = queries()[where]

    used = set(_NAME.findall(query))

    assert used or query.startswith("up{"), "it asks for nothing of ours"
    assert used <= set(KNOWN)
    labels = {label for name in used for label in KNOWN[name].labels} | {"le", "job"}
    for grouping in _GROUPING.findall(query):
        assert {label.strip() for label in grouping.split(",")} <= labels
    for matching in _MATCHING.findall(query):
        assert set(re.findall(r"(\w+)\s*=", matching)) <= labels


def test_every_metric_named_in_the_pages_exists():
    for page in OPERATIONS.glob("*.md"):
        named = set(_NAME.findall(page.read_text(encoding="utf-8")))

        assert named <= {metric.name for metric in METRICS} | set(KNOWN), page.name


def test_the_dashboard_is_one_that_grafana_can_import():
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))

    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${datasource}"
    shown = {name for query in queries().values() for name in _NAME.findall(query)}
    unseen = {"penstock_build_info", "penstock_functions"}
    assert {m.name for m in METRICS if not names_in(m) & shown} == unseen


def test_promtool_finds_nothing_wrong_with_the_alerts():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here")

    answer = subprocess.run(
        [promtool, "check", "rules", str(ALERTS)], capture_output=True, check=False, text=True
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_event_of_the_status_log_is_in_the_page():
    said = (OPERATIONS / "logs.md").read_text(encoding="utf-8")
    sources = [
        path
        for top in ("gateway", "runtime")
        for path in (ROOT / top).rglob("*.py")
        if "telemetry.lifecycle_log import" in path.read_text(encoding="utf-8")
    ]

    events = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and _EVENT.fullmatch(value):
                events.add(value)

    assert events
    assert {event for event in events if f"`{event}`" not in said} == set()
