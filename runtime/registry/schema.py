"""Build a pydantic model from a function's signature, and the JSON Schemas from the model.

The model's JSON Schema (2020-12) is published, and its validator reads the arguments in the runner,
in strict JSON mode, so both agree. In strict mode "5" is not an integer, and neither is 1.0
(`argument_check` makes the gateway refuse it too).
"""

from __future__ import annotations

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

from runtime.registry.core_schemas import make_validator
from runtime.registry.gateway_schema import GatewaySchemaWriter
from runtime.registry.json_validation import readable
from runtime.registry.schema_writer import SchemaWriter
from runtime.registry.signature import REQUIRED, Parameter, Signature, SignatureError, bare_type

_BYTES = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")

_MAPS = frozenset({"properties", "patternProperties", "$defs"})
_VALUES = frozenset({"enum", "const"})
_SAID_ONLY = frozenset({"title", "description", "default", "examples", "deprecated", "readOnly"})


def arguments_model(signature: Signature, module: str) -> type[BaseModel]:
    """Return the pydantic model of a function's argument object.

    Its fields are `p0, p1, …` with the parameters' names as aliases, because a parameter may have a
    name that a field may not have, such as `json`, `model_config` or `_x`.
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
        model.__pydantic_validator__ = make_validator(readable(model.__pydantic_core_schema__))
    return model


def unreadable_part(signature: Signature) -> str | None:
    """Return an error text for the first annotation that pydantic cannot use, None if all work."""
    parts = [(f"parameter {p.name}", p.annotation) for p in signature.parameters if not p.injected]
    parts += [("the keyword arguments", signature.extras), ("the result", signature.returns)]
    for what, annotation in parts:
        try:
            TypeAdapter(annotation)
        except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation):
            name = getattr(annotation, "__name__", None) or str(annotation)
            return f"{what}: pydantic cannot read the type {name} from JSON or write it as JSON"
        except PydanticUserError:
            continue
    return None


def parameters_schema(model: type[BaseModel], signature: Signature) -> dict[str, Any]:
    """Return the published JSON Schema of the argument object."""
    return _completed(model.model_json_schema(schema_generator=SchemaWriter), signature)


def validation_schema(
    model: type[BaseModel], signature: Signature, published: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the JSON Schema to validate arguments with, None if `published` is equivalent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = model.model_json_schema(schema_generator=GatewaySchemaWriter)
    schema = _completed(made, signature)
    return None if _bare(schema) == _bare(published) else _bare(schema)


def _completed(schema: dict[str, Any], signature: Signature) -> dict[str, Any]:
    schema.pop("title", None)
    schema.setdefault("properties", {})
    hidden = [p.name for p in signature.parameters if p.injected is not None]
    if signature.takes_extras and hidden:
        schema["propertyNames"] = {"not": {"enum": hidden}}
    return _trimmed(schema)


def result_schema(adapter: TypeAdapter[Any], returns: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the JSON Schema of the result."""
    schema = adapter.json_schema(mode="serialization", schema_generator=SchemaWriter)
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
            f"parameter {parameter.name}: bytes are already base64 in JSON; annotate it `bytes`"
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
    """Whether an annotation contains Base64Bytes or the like, which would decode a second time."""
    return isinstance(annotation, EncodedBytes) or any(
        _decodes_bytes(part) for part in typing.get_args(annotation)
    )


def _bare(schema: Any, *, is_map: bool = False) -> Any:  # noqa: ANN401
    """Return a copy of a schema without keywords that do not affect validation."""
    if isinstance(schema, list):
        return [_bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key in _VALUES and not is_map else _bare(value, is_map=key in _MAPS)
        for key, value in schema.items()
        if is_map or key not in _SAID_ONLY
    }


def _trimmed(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove the titles that only repeat a definition's name."""
    for name, definition in schema.get("$defs", {}).items():
        if isinstance(definition, dict) and definition.get("title") == name:
            del definition["title"]
    return schema
