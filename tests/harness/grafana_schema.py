"""Grafana's dashboard schema, as its makers publish it for Python (grafana-foundation-sdk), applied strictly.

The package's models are generated from Grafana's own schema; they read JSON without checking it. Here every
key must be one that the models know, and every value of the type that they declare, down to panel options.
"""

from __future__ import annotations

import enum
import json
import types
import typing
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as schema

register_default_plugins()


def violations(content: dict[str, Any]) -> list[str]:
    """Return one line for each place where `content` violates Grafana's schema."""
    parsed = schema.Dashboard.from_json(content)
    kept = json.loads(json.dumps(parsed, cls=JSONEncoder))
    return [*_unknown(content, kept, "dashboard"), *_mistyped(parsed, type(parsed), "dashboard")]


def _unknown(given: object, kept: object, where: str) -> Iterator[str]:
    """Yield what the models dropped: keys that the schema does not have."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from _unknown(value, kept[key], f"{where}.{key}")
            elif value is not None:
                yield f"{where}.{key}: the schema has no such key"
    elif isinstance(given, list) and isinstance(kept, list):
        for number, (mine, theirs) in enumerate(zip(given, kept, strict=True)):
            yield from _unknown(mine, theirs, f"{where}[{number}]")
    elif given != kept:
        yield f"{where}: {given!r} is read as {kept!r}"


def _mistyped(value: Any, wanted: Any, where: str) -> Iterator[str]:
    """Yield what is not of the declared type."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted in {object, Any} or isinstance(wanted, typing.TypeVar):
        yield from _fields(value, where)
    elif origin in {typing.Union, types.UnionType}:
        if all(list(_mistyped(value, option, where)) for option in arguments):
            yield f"{where}: {value!r} is none of {wanted}"
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{where}: {value!r} is none of {arguments}"
    elif origin is list:
        yield from _items(value, arguments[0], where)
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is no object"
    elif not _is_a(value, wanted):
        yield f"{where}: {value!r} is no {wanted.__name__}"
    else:
        yield from _fields(value, where)


def _items(value: Any, wanted: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: {value!r} is no list"
        return
    for number, item in enumerate(value):
        yield from _mistyped(item, wanted, f"{where}[{number}]")


def _fields(value: Any, where: str) -> Iterator[str]:
    """Check the attributes of one of the package's models."""
    if not type(value).__module__.startswith("grafana_foundation_sdk.models"):
        return
    if isinstance(value, enum.Enum):
        return
    for name, wanted in typing.get_type_hints(type(value)).items():
        yield from _mistyped(getattr(value, name), wanted, f"{where}.{name.removesuffix('_val')}")


def _is_a(value: Any, wanted: type) -> bool:
    if issubclass(wanted, enum.Enum):
        return value in {member.value for member in wanted}
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))
