"""From a signature to what JSON must look like, and to the validator that agrees.

One pydantic model per function is both: its JSON Schema (2020-12) is published, and
its validator, in strict JSON mode, reads arguments in the runner. So "5" is no
integer, and 1.0 is none either (see `arguments`, which holds the gateway to that).
"""

from __future__ import annotations

import base64
import math
import typing
import warnings
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    EncodedBytes,
    Field,
    PydanticSchemaGenerationError,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    TypeAdapter,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import CoreConfig, SchemaSerializer, SchemaValidator, core_schema

from runtime.registry.base64_bytes import READ, WRITTEN, filled_in
from runtime.registry.signature import REQUIRED, Parameter, Signature, SignatureError, bare_type

_BYTES = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")
_KEY_PATTERNS = {"int": "^-?[0-9]+$"}


class _Generator(GenerateJsonSchema):
    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012 - as pydantic declares it
        "skipped-choice",
        "non-serializable-default",
    }

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        """Leave titles to those who write them."""
        return False

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401
        """Write a default of bytes the way it is read."""
        if isinstance(dft, bytes):
            return base64.b64encode(dft).decode("ascii")
        return super().encode_default(dft)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out a default that JSON has no word for."""
        made = super().default_schema(schema)
        default = made.get("default")
        if isinstance(default, float) and not math.isfinite(default):
            del made["default"]
        return made

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        """Say base64 the way JSON Schema 2020-12 does."""
        made = super().bytes_schema(schema)
        setting = READ if self.mode == "validation" else WRITTEN
        if self._config.config_dict.get(setting, "base64") == "base64":
            made.pop("format", None)
            made["contentEncoding"] = "base64"
        return made

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Say of which form the text must be."""
        made = super().decimal_schema(schema)
        for branch in made.get("anyOf", ()) if self.mode == "validation" else ():
            if branch.get("type") == "string":
                branch.setdefault("format", "decimal")
        return made

    def url_schema(self, schema: core_schema.UrlSchema) -> JsonSchemaValue:
        """Add the allowed schemes, which pydantic checks and its schema leaves out."""
        made = super().url_schema(schema)
        if schemes := schema.get("allowed_schemes"):
            made["pattern"] = f"^(?:{'|'.join(map(_in_any_case, schemes))}):"
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Say what keys look like that are not plain texts."""
        made = super().dict_schema(schema)
        pattern = _KEY_PATTERNS.get(schema.get("keys_schema", {}).get("type", ""))
        if pattern and self.mode == "validation":
            made.setdefault("propertyNames", {"pattern": pattern})
        return made


def arguments_model(signature: Signature, module: str) -> type[BaseModel]:
    """Return the model of a function's argument object.

    Its fields are `p0, p1, …` with the parameters' names as aliases: a parameter may
    be called `json`, `model_config` or `_x`, which a field may not.
    """
    fields: dict[str, Any] = {}
    for index, parameter in enumerate(signature.parameters):
        if parameter.injected is None:
            fields[f"p{index}"] = _field(parameter)
    config = ConfigDict(
        extra="allow" if signature.takes_extras else "forbid",
        protected_namespaces=(),
        arbitrary_types_allowed=False,
        **_BYTES,
    )
    body: dict[str, Any] = {"model_config": config, "__module__": module}
    if signature.takes_extras:
        body["__annotations__"] = {
            "__pydantic_extra__": dict.__class_getitem__((str, signature.extras))
        }
    parent = type("Arguments", (BaseModel,), body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: type[BaseModel] = create_model(
            "Arguments", __base__=parent, __module__=module, **fields
        )
    if model.__pydantic_complete__:
        model.__pydantic_validator__ = SchemaValidator(
            filled_in(model.__pydantic_core_schema__), _use_prebuilt=False
        )
    return model


def unreadable_part(signature: Signature) -> str | None:
    """Name the first annotation pydantic can make nothing of, for an error's text."""
    parts = [(f"parameter {p.name}", p.annotation) for p in signature.parameters if not p.injected]
    parts += [("the keyword arguments", signature.extras), ("the result", signature.returns)]
    for what, annotation in parts:
        try:
            TypeAdapter(annotation)
        except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation):
            name = getattr(annotation, "__name__", None) or str(annotation)
            return f"{what}: {name} is no type that pydantic can read from JSON or write to it"
        except PydanticUserError:
            continue
    return None


def parameters_schema(model: type[BaseModel], signature: Signature) -> dict[str, Any]:
    """Return the JSON Schema of the argument object."""
    schema = model.model_json_schema(schema_generator=_Generator)
    schema.pop("title", None)
    schema.setdefault("properties", {})
    hidden = [p.name for p in signature.parameters if p.injected is not None]
    if signature.takes_extras and hidden:
        schema["propertyNames"] = {"not": {"enum": hidden}}
    return _trimmed(schema)


def result_adapter(returns: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    """Return what turns results into JSON."""
    if returns is None:
        returns = type(None)
    try:
        adapter = TypeAdapter(returns, config=ConfigDict(**_BYTES, ser_json_inf_nan="constants"))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        adapter = TypeAdapter(returns)  # a model's own configuration holds
    config = CoreConfig(ser_json_bytes="base64", ser_json_inf_nan="constants")
    if isinstance(adapter.core_schema, dict):  # not put off until it is first used
        adapter.serializer = SchemaSerializer(
            filled_in(adapter.core_schema), config, _use_prebuilt=False
        )
    return adapter


def result_schema(adapter: TypeAdapter[Any], returns: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the JSON Schema of the result."""
    schema = adapter.json_schema(mode="serialization", schema_generator=_Generator)
    if schema.get("title") == getattr(returns, "__name__", None):
        schema.pop("title", None)
    return _trimmed(schema)


def is_bytes(annotation: Any) -> bool:  # noqa: ANN401
    """Whether an annotation is bytes, Annotated or Optional ones included."""
    return bare_type(annotation) is bytes


def _field(parameter: Parameter) -> tuple[Any, Any]:
    annotation, default = parameter.annotation, parameter.default
    if _decodes_bytes(annotation):
        raise SignatureError(
            f"parameter {parameter.name}: bytes are base64 in JSON already; annotate it `bytes`"
        )
    if default is None and annotation is not Any:
        annotation = annotation | None if not isinstance(annotation, str) else annotation
    names: Any = {
        "alias": parameter.name,
        "validation_alias": parameter.name,
        "serialization_alias": parameter.name,
    }
    if isinstance(default, FieldInfo):  # written as `width: int = Field(320, gt=0)`
        annotation = Annotated[annotation, default]
        if default.default_factory is not None:
            return annotation, Field(default_factory=default.default_factory, **names)
        default = REQUIRED if default.is_required() else default.default
    return annotation, Field(... if default is REQUIRED else default, **names)


def _decodes_bytes(annotation: Any) -> bool:  # noqa: ANN401
    """Whether Base64Bytes or the like is in an annotation: it would decode a second time."""
    return isinstance(annotation, EncodedBytes) or any(
        _decodes_bytes(part) for part in typing.get_args(annotation)
    )


def _in_any_case(scheme: str) -> str:
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else f"\\{c}" for c in scheme)


def _trimmed(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop the titles that only repeat a definition's name."""
    for name, definition in schema.get("$defs", {}).items():
        if isinstance(definition, dict) and definition.get("title") == name:
            del definition["title"]
    return schema
