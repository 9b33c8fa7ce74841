"""Parses FEATURE_TERMS, the columns of the feature table: `name=term`, a term being a, a^2, a*b or z(a)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlstack.runtime.settings import SettingsError, env, env_list

_TERM = re.compile(
    r"(?P<name>\w+)\s*=\s*(?:z\((?P<standardised>\w+)\)|(?P<left>\w+)(?:\^(?P<power>[23])|\*(?P<right>\w+))?)"
)


@dataclass(frozen=True)
class Term:
    """One column: `left`^`power`, or `left`·`right`, or `left` standardised to mean 0 and deviation 1."""

    name: str
    left: str
    power: int = 1
    right: str | None = None
    standardised: bool = False

    @property
    def text(self) -> str:
        """The term in the notation of FEATURE_TERMS."""
        if self.standardised:
            return f"z({self.left})"
        if self.right is not None:
            return f"{self.left}*{self.right}"
        return self.left if self.power == 1 else f"{self.left}^{self.power}"


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
        needed = [name for term in self.terms for name in (term.left, term.right) if name is not None]
        return tuple(dict.fromkeys(needed))


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
            f"FEATURE_TERMS: {text!r} is not name=term, with a term such as x, x^2, a*b or z(x)"
        )
    name, standardised, left, power, right = match.group("name", "standardised", "left", "power", "right")
    if standardised:
        return Term(name, standardised, standardised=True)
    return Term(name, left, int(power or 1), right)
