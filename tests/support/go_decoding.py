"""Decoding JSON as `encoding/json` of Go does, into the types that OpenFaaS's clients have.

A Go client refuses the whole answer if one value does not fit the type of its field. It takes null
and a missing field for any type, and ignores fields that it does not know.
"""

from __future__ import annotations

import json
import re
from typing import Any

# RFC 3339 as time.Time.UnmarshalJSON takes it.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

TEXT, WHOLE, FLOAT, TIME = "string", "uint64", "float64", "time.Time"
TEXTS = {"*": TEXT}  # map[string]string
VERSION = {"sha": TEXT, "release": TEXT}
INFO = {
    "provider": {"provider": TEXT, "orchestration": TEXT, "version": VERSION},
    "version": VERSION,
    "arch": TEXT,
}
STATUS = {
    "name": TEXT,
    "image": TEXT,
    "namespace": TEXT,
    "invocationCount": FLOAT,
    "replicas": WHOLE,
    "availableReplicas": WHOLE,
    "createdAt": TIME,
    "labels": TEXTS,
    "annotations": TEXTS,
    "limits": {"memory": TEXT, "cpu": TEXT},
    "usage": {"cpu": FLOAT, "totalMemoryBytes": FLOAT},
}
STATUSES = [STATUS]
NAMESPACE = {"name": TEXT, "annotations": TEXTS, "labels": TEXTS}
SECRETS = [{"name": TEXT, "namespace": TEXT}]
MESSAGE = {"name": TEXT, "namespace": TEXT, "instance": TEXT, "timestamp": TIME, "text": TEXT}


def decode(text: str, into: Any) -> Any:
    """Return the value; fail with the place that a Go client would refuse."""
    value = json.loads(text)
    _check(value, into, "$")
    return value


def _check(value: Any, into: Any, where: str) -> None:
    if value is None:
        return
    if isinstance(into, list):
        assert isinstance(value, list), f"{where}: cannot unmarshal {value!r} into a slice"
        for index, item in enumerate(value):
            _check(item, into[0], f"{where}[{index}]")
    elif isinstance(into, dict):
        assert isinstance(value, dict), f"{where}: cannot unmarshal {value!r} into a struct"
        for name, item in value.items():
            if "*" in into or name in into:
                _check(item, into.get("*", into.get(name)), f"{where}.{name}")
    else:
        assert _fits(value, into), f"{where}: cannot unmarshal {value!r} into Go value of {into}"


def _fits(value: Any, into: str) -> bool:
    if into in (TEXT, TIME):
        return isinstance(value, str) and (into == TEXT or _TIME.fullmatch(value) is not None)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (into == FLOAT or (isinstance(value, int) and value >= 0))
