"""Generate the published JSON Schemas: pydantic's, corrected where they do not say what is valid.

Bytes are standard base64, the text of a decimal has a format, and titles appear only if an author
wrote them. The gateway validates with a schema that is at most as strict as this one
(`runtime.registry.gateway_schema`).
"""

from __future__ import annotations

import base64
import math
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema

from runtime.registry.base64_bytes import READ, WRITTEN

BASE64 = "base64"
_KEY_PATTERNS = {"int": "^-?[0-9]+$"}


class SchemaWriter(GenerateJsonSchema):
    """Generates the published schemas."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012 - pydantic's declaration
        "skipped-choice",
        "non-serializable-default",
    }

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        """Set no titles: only those that an author wrote appear."""
        return False

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401
        """Encode a default of bytes as base64, which is how it is read."""
        if isinstance(dft, bytes):
            return base64.b64encode(dft).decode("ascii")
        return super().encode_default(dft)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out a default that JSON cannot represent: NaN or an infinity."""
        made = super().default_schema(schema)
        default = made.get("default")
        if isinstance(default, float) and not math.isfinite(default):
            del made["default"]
        return made

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        """Declare base64 with `contentEncoding`, as JSON Schema 2020-12 does."""
        made = super().bytes_schema(schema)
        setting = READ if self.mode == "validation" else WRITTEN
        if self._config.config_dict.get(setting, BASE64) == BASE64:
            made.pop("format", None)
            made["contentEncoding"] = BASE64
            for name in ("minLength", "maxLength"):  # JSON Schema counts characters, not bytes
                if name in made:
                    made[name] = (made[name] + 2) // 3 * 4
        return made

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Add the format of the text."""
        made = super().decimal_schema(schema)
        for branch in made.get("anyOf", ()) if self.mode == "validation" else ():
            if branch.get("type") == "string":
                branch.setdefault("format", "decimal")
        return made

    def url_schema(self, schema: core_schema.UrlSchema) -> JsonSchemaValue:
        """Add the allowed schemes, which pydantic checks but does not publish."""
        made = super().url_schema(schema)
        if schemes := schema.get("allowed_schemes"):
            made["pattern"] = f"^(?:{'|'.join(''.join(in_any_case(s)) for s in schemes)}):"
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Add a pattern for integer keys."""
        made = super().dict_schema(schema)
        pattern = _KEY_PATTERNS.get(schema.get("keys_schema", {}).get("type", ""))
        if pattern and self.mode == "validation":
            made.setdefault("propertyNames", {"pattern": pattern})
        return made


def in_any_case(scheme: str) -> list[str]:
    """Return a case-insensitive pattern for each character of a scheme."""
    return [f"[{c.lower()}{c.upper()}]" if c.isalpha() else f"\\{c}" for c in scheme]
