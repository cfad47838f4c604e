"""`penstock ls`: list the functions of a running system."""

from __future__ import annotations

from typing import Any

from gateway.cli.client.options import ApiOptions
from gateway.cli.tables import print_json, print_table


def ls(*, api: ApiOptions) -> None:
    """List the functions of a running system."""
    listing = api.find_system().get("/functions").json()
    if api.as_json:
        print_json(listing)
        return
    rows = [_row(item) for item in listing["items"]]
    if rows:
        print_table(("function", "version", "queue", "summary"), rows)
    else:
        print("No functions yet; create one: penstock new hello")


def _row(item: dict[str, Any]) -> tuple[str, str, str, str]:
    said = item.get("summary") or ""
    if item.get("state") == "loading":
        said = "loading"
    environment = item.get("environment") or {}
    if environment.get("state") in {"resolving", "building"}:
        said = f"{environment['state']} ({environment['seconds']:.0f} s)"
    if error := item.get("error"):
        place = f"{error.get('file')}:{error.get('line') or '?'}"
        said = f"{place}: {error.get('type')}: {error.get('message')}"
    return item["name"], item.get("version") or "none", item.get("queue") or "", said
