"""Lets requests drawn from OpenFaaS's own document reach functions that there are.

Loaded by the schemathesis command line.
"""

from __future__ import annotations

from typing import Any

import schemathesis

_FUNCTION = "repeat"
_NAMESPACE = "openfaas-fn"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Name a function and the namespace, and follow no log, which would not end."""
    del context, kwargs
    if "functionName" in (case.path_parameters or {}):
        case.path_parameters["functionName"] = _FUNCTION
    if "namespace" in (case.path_parameters or {}):
        case.path_parameters["namespace"] = _NAMESPACE
    for name, value in (("name", _FUNCTION), ("namespace", _NAMESPACE), ("follow", "false")):
        if name in (case.query or {}):
            case.query[name] = value
