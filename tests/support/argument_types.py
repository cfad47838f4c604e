"""Annotations of arguments, and what they need to be loaded: what gateway and runner are put to."""

from __future__ import annotations

PREAMBLE = (
    "import collections, datetime, uuid, enum, decimal, ipaddress, dataclasses, pathlib, re\n"
    "from typing import *\nfrom typing_extensions import TypedDict\nfrom pydantic import *\n"
    "from pydantic.json_schema import SkipJsonSchema\n"
    "class Color(enum.Enum):\n    RED = 'red'\n    BLUE = 'blue'\n"
    "class Level(enum.IntEnum):\n    LOW = 1\n    HIGH = 2\n"
    "class Item(BaseModel):\n    sku: str\n    count: int = 1\n"
    "class Closed(BaseModel):\n    model_config = ConfigDict(extra='forbid')\n    a: float\n"
    "@dataclasses.dataclass\nclass Point:\n    x: float\n    y: float = 0\n"
    "class Opts(TypedDict, total=False):\n    a: Required[int]\n    b: str\n"
    "class Pair(NamedTuple):\n    a: int\n    b: str\n"
    "class Node(BaseModel):\n    v: int\n    next: 'Node | None' = None\n"
    "class Size(str, enum.Enum):\n    SMALL = 'small'\n"
    "    @classmethod\n"
    "    def _missing_(cls, value):\n"
    "        return cls(str(value).lower()) if value != str(value).lower() else None\n"
    "class Event(BaseModel):\n"
    "    model_config = ConfigDict(extra='forbid')\n"
    "    user_id: int = Field(validation_alias=AliasPath('user', 'id'))\n"
    "class Choice(BaseModel):\n"
    "    model_config = ConfigDict(extra='forbid')\n"
    "    n: int = Field(validation_alias=AliasChoices('a', 'b'))\n"
    "class Named(BaseModel):\n"
    "    model_config = ConfigDict(extra='forbid', populate_by_name=True)\n"
    "    n: int = Field(alias='a')\n"
    "class Filled(BaseModel):\n"
    "    n: int\n"
    "    @model_validator(mode='before')\n"
    "    @classmethod\n"
    "    def _fill(cls, data):\n"
    "        return {'n': data} if isinstance(data, int) else data\n"
    "class Made(BaseModel):\n"
    "    n: int = 0\n"
    "    def __init__(self, **data):\n"
    "        super().__init__(**(data if data else {'n': 1}))\n"
    "class Trimmed(BaseModel):\n"
    "    model_config = ConfigDict(str_strip_whitespace=True, str_max_length=3)\n"
    "    sku: str\n"
    "class Apple(BaseModel):\n    fruit: Literal['apple'] = 'apple'\n    minutes: int\n"
    "class Pumpkin(BaseModel):\n    filling: Literal['pumpkin'] = 'pumpkin'\n    minutes: int\n"
    "def _kind_of(value):\n"
    "    return value.get('fruit', value.get('filling')) if isinstance(value, dict) else None\n"
    "Pie = Annotated[Annotated[Apple, Tag('apple')] | Annotated[Pumpkin, Tag('pumpkin')],"
    " Discriminator(_kind_of)]\n"
    "class Cat(BaseModel):\n    kind: Literal['cat'] = 'cat'\n    lives: int\n"
    "class Dog(BaseModel):\n    kind: Literal['dog', 'wolf']\n    name: str\n"
    "Pet = Annotated[Cat | Dog, Field(discriminator='kind')]\n"
    "class HandWritten:\n"
    "    @classmethod\n"
    "    def __get_pydantic_core_schema__(cls, source, handler):\n"
    "        return handler(int)\n"
    "    @classmethod\n"
    "    def __get_pydantic_json_schema__(cls, schema, handler):\n"
    "        return {'type': 'string'}\n"
    "def _positive(value):\n"
    "    if not isinstance(value, int) or value <= 0: raise ValueError('not positive')\n"
    "    return value\n"
)
# Both verdicts must be the same.
EXACT = [
    "int",
    "float",
    "str",
    "bool",
    "None",
    "Any",
    "object",
    "int | None",
    "int | str",
    "float | int",
    "str | list[int]",
    "bool | int",
    "list[int]",
    "list[Any]",
    "tuple[int, str]",
    "tuple[int, ...]",
    "dict[str, int]",
    "dict[str, list[int | None]]",
    "Color",
    "Item",
    "Closed",
    "Point",
    "Opts",
    "Node",
    "Item | Point",
    "list[Item]",
    "datetime.datetime",
    "datetime.date",
    "datetime.time",
    "datetime.timedelta",
    "uuid.UUID",
    "ipaddress.IPv4Address",
    "ipaddress.IPv6Network",
    "AnyUrl",
    "Annotated[int, Field(gt=0, le=10)]",
    "Annotated[float, Field(ge=0.5)]",
    "Annotated[str, Field(min_length=2, max_length=3)]",
    "Annotated[str, Field(pattern='^[a-c]+$')]",
    "Annotated[list[int], Field(min_length=1, max_length=2)]",
    "PositiveInt",
    "StrictBool",
    "conint(multiple_of=3)",
    "decimal.Decimal",
    "Json",
    "pathlib.PurePath",
]
# What the schema lets through, pydantic takes; pydantic may take more.
NARROWER = [
    "bytes",
    "list[bytes]",
    "Annotated[bytes, Field(min_length=2, max_length=2)]",
]
# The gateway may let through what the runner then refuses; it refuses nothing that fits.
INFORMING = [
    "dict[int, str]",
    "dict[float, str]",
    "dict[bool, int]",
    "dict[Level, int]",
    "dict[Color, int]",
    "dict[Annotated[str, Field(max_length=1)], int]",
    "Annotated[dict[int, int], Field(max_length=1)]",
    "Literal[1]",
    "Literal['a', 1]",
    "Literal[True, 'x']",
    "Level",
    "Size",
    "Pair",
    "set[int]",
    "Annotated[set[int], Field(min_length=1, max_length=1)]",
    "frozenset[str]",
    "collections.deque[int]",
    "collections.OrderedDict[str, int]",
    "collections.Counter[str]",
    "collections.defaultdict[str, int]",
    "Iterable[int]",
    "Sequence[int]",
    "Mapping[str, int]",
    "HttpUrl",
    "PostgresDsn",
    "Annotated[AnyUrl, UrlConstraints(allowed_schemes=['http'], max_length=9)]",
    "re.Pattern",
    "Base64Str",
    "ByteSize",
    "complex",
    "pathlib.Path",
    "ipaddress.IPv6Interface",
    "Event",
    "Choice",
    "Named",
    "Filled",
    "Made",
    "Trimmed",
    "Pie",
    "Pet",
    "Pet | None",
    "list[Pie]",
    "HandWritten",
    "SecretStr",
    "Annotated[SecretStr, Field(min_length=2)]",
    "SecretBytes",
    "AwareDatetime",
    "NaiveDatetime",
    "PastDate",
    "FutureDatetime",
    "Annotated[datetime.timedelta, Field(le=datetime.timedelta(hours=1))]",
    "Annotated[datetime.datetime, Field(gt=datetime.datetime(2026, 11, 22, 9))]",
    "Annotated[decimal.Decimal, Field(gt=0)]",
    "Annotated[decimal.Decimal, Field(max_digits=3, decimal_places=1)]",
    "Annotated[decimal.Decimal, Field(multiple_of=decimal.Decimal('0.1'))]",
    "Annotated[decimal.Decimal, AllowInfNan(True)]",
    "Annotated[float, Field(multiple_of=0.1)]",
    "Annotated[float, Field(le=9007199254740992)]",
    "Annotated[int, Field(multiple_of=3, lt=2**70)]",
    r"Annotated[str, Field(pattern=r'^\w+$')]",
    r"Annotated[str, Field(pattern=r'^\d+$')]",
    "Annotated[str, Field(pattern=re.compile('^[a-z]+$', re.IGNORECASE))]",
    "Annotated[str, Field(pattern='(?i)^[a-z]+$')]",
    "Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=3)]",
    "Annotated[str, StringConstraints(to_lower=True, pattern='^[a-z]+$')]",
    "Annotated[str, StringConstraints(to_upper=True, max_length=1)]",
    "Annotated[int, BeforeValidator(lambda v: len(v) if isinstance(v, str) else v)]",
    "Annotated[int, WrapValidator(lambda v, h: 0 if v == 'abc' else h(v))]",
    "Annotated[int, PlainValidator(_positive)]",
    "Annotated[int, PlainValidator(_positive, json_schema_input_type=str)]",
    "Annotated[int, AfterValidator(_positive)]",
    "Annotated[int, WithJsonSchema({'type': 'string'})]",
    "Annotated[int, Field(json_schema_extra={'minimum': 5})]",
    "int | Annotated[None, SkipJsonSchema()]",
    "list[Annotated[int, Field(default=1)]]",
    "Annotated[int, Strict(False)]",
    "ImportString",
    "SkipValidation[int]",
    "list[SkipValidation[Item]]",
]
