"""Parses FEATURE_TERMS, the columns of the feature table: `name=term`.

A term is a column a, a^2, a^3, a*b, z(a), or a number derived from a date: year(a), month(a), weekday(a),
days(a).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mlstack.runtime.settings import SettingsError, env, env_list

_TERM = re.compile(
    r"(?P<name>\w+)\s*=\s*(?:(?P<function>z|year|month|weekday|days)\((?P<argument>\w+)\)"
    r"|(?P<left>\w+)(?:\^(?P<power>[23])|\*(?P<right>\w+))?)"
)

Takes = Literal["any", "number", "date"]


@dataclass(frozen=True)
class Term:
    """One column: `left`^`power`, or `left`·`right`, or a function of `left`."""

    name: str
    left: str
    power: int = 1
    right: str | None = None
    function: str = ""  # z, year, month, weekday or days

    @property
    def text(self) -> str:
        """The term in the notation of FEATURE_TERMS."""
        if self.function:
            return f"{self.function}({self.left})"
        if self.right is not None:
            return f"{self.left}*{self.right}"
        return self.left if self.power == 1 else f"{self.left}^{self.power}"

    @property
    def takes(self) -> Takes:
        """What the term's columns must hold."""
        if self.function and self.function != "z":
            return "date"
        return "any" if self.text == self.left else "number"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the source that the term uses."""
        return (self.left,) if self.right is None else (self.left, self.right)


@dataclass(frozen=True)
class Features:
    """The feature table to create, and the table and terms it is computed from."""

    table: str
    source: str
    target: str
    terms: tuple[Term, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The distinct columns of the source that the terms use."""
        return tuple(dict.fromkeys(column for term in self.terms for column in term.columns))


def read_features() -> Features:
    """Read FEATURE_TABLE, FEATURE_TERMS and the DATA_… settings."""
    source, target = env("DATA_TABLE", "linear_data"), env("DATA_TARGET", "y")
    table = env("FEATURE_TABLE", "linear_features")
    if table == source:
        raise SettingsError(f"FEATURE_TABLE must be another table than DATA_TABLE, which is {source}")
    terms = tuple(map(parse_term, env_list("FEATURE_TERMS", "x=x,x_squared=x^2")))
    names = [term.name for term in terms]
    if not terms or len(set(names)) < len(names) or target in names:
        raise SettingsError(f"FEATURE_TERMS must name different columns, and none of them {target}")
    return Features(table, source, target, terms)


def parse_term(text: str) -> Term:
    """Return one term such as `x_squared=x^2`; raise SettingsError for any other text."""
    match = _TERM.fullmatch(text)
    if match is None:
        raise SettingsError(
            f"FEATURE_TERMS: {text!r} is not name=term, with a term such as x, x^2, a*b, z(x) or year(day)"
        )
    name, function, argument, left, power, right = match.groups()
    if function:
        return Term(name, argument, function=function)
    return Term(name, left, int(power or 1), right)
