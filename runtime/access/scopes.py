"""The scopes of an API key, parsed once into a `Grant` that answers what the key may do.

    invoke:<function>   call that function, and follow, cancel and retry what its name called
    invoke:billing.*    the same, for every function below a prefix; invoke:* for all
    read                see everything: functions, invocations, queues, deliveries, metrics
    operate             control everything, and read: cancel, retry, pause, schedules, redeliver
    admin               create and revoke keys, and all of the above

Scopes imply nothing beyond this list; a key with an unknown scope cannot be created.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.sdk.option_parsing import NAME_RULE, is_function_name

INVOKE = "invoke:"
FORMS = ("invoke:<function>", "invoke:<prefix>.*", "invoke:*", "read", "operate", "admin")
SCOPE_PATTERN = rf"^(read|operate|admin|invoke:(\*|{NAME_RULE.pattern}(\.\*)?))$"
_PLAIN = frozenset({"read", "operate", "admin"})
_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a caller may do.

    Attributes:
        scopes: As they were given, sorted.
        reads: May see everything.
        operates: May control everything.
        administers: May create and revoke keys.
        functions: Names of functions that may be invoked.
        prefixes: Prefixes of names that may be invoked; "" is every name.
    """

    scopes: tuple[str, ...]
    reads: bool = False
    operates: bool = False
    administers: bool = False
    functions: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    @property
    def invokes(self) -> bool:
        """Whether there is at least one name it may invoke."""
        return bool(self.functions or self.prefixes)

    def may_invoke(self, function: str) -> bool:
        """Whether a function of this name may be called; it need not exist."""
        return function in self.functions or function.startswith(self.prefixes)

    def may_see(self, function: str) -> bool:
        """Whether a function of this name may be seen."""
        return self.reads or self.may_invoke(function)


def check_scope(text: str) -> str:
    """Return the text if it is a scope.

    Raises:
        ValueError: It is not; the message lists the forms.
    """
    if text in _PLAIN:
        return text
    if text.startswith(INVOKE):
        name = text.removeprefix(INVOKE)
        if name == _ANY or is_function_name(name.removesuffix("." + _ANY)):
            return text
    raise ValueError(f"{text[:64]!r} is not a scope; use {', '.join(FORMS)}")


def read_grant(scopes: Iterable[str]) -> Grant:
    """Return what these scopes allow.

    Raises:
        ValueError: One of them is not a scope.
    """
    given = sorted({check_scope(scope) for scope in scopes})
    is_admin = "admin" in given
    operates = is_admin or "operate" in given
    names = [scope.removeprefix(INVOKE) for scope in given if scope.startswith(INVOKE)]
    prefixes = [name.removesuffix(_ANY) for name in names if name.endswith(_ANY)]
    return Grant(
        scopes=tuple(given),
        reads=operates or "read" in given,
        operates=operates,
        administers=is_admin,
        functions=frozenset(name for name in names if not name.endswith(_ANY)),
        prefixes=("",) if is_admin else tuple(prefixes),
    )


EVERYTHING = read_grant(["admin"])
