"""The columns of the table that features are computed from: what they hold, and which terms that allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import table_name
from mlstack.features.terms import Features, Term
from mlstack.runtime.refusals import DataRefused

_COLUMNS = """
    SELECT attname, typname, typcategory FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
     WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_TIMES_OF_DAY = ("time", "timetz")


class SourceType(NamedTuple):
    """The type of a column, with PostgreSQL's category, which a domain has from the type below it."""

    name: str
    category: str

    @property
    def is_number(self) -> bool:
        """Whether it can be cast to float8."""
        return self.category == "N"

    @property
    def is_date(self) -> bool:
        """Whether it is a date or a timestamp."""
        return self.category == "D" and self.name not in _TIMES_OF_DAY


def source_types(connection: Connection, features: Features) -> dict[str, SourceType]:
    """Return the types of the columns that the features need, the target last; raise DataRefused."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, (table_name(features.source).as_string(connection),))
        there = {name: SourceType(*found) for name, *found in cursor.fetchall()}
    findings = list(_findings(features, there))
    if findings:
        raise DataRefused(*findings)
    return {name: there[name] for name in (*features.columns, features.target)}


def _findings(features: Features, there: Mapping[str, SourceType]) -> Iterator[str]:
    for column in dict.fromkeys((*features.columns, features.target)):
        if column not in there:
            names = ", ".join(there) or "none"
            yield f"{features.source}: there is no column {column} (there are {names})"
    for term in features.terms:
        for column in dict.fromkeys(term.columns):
            if column in there and not _fits(term, there[column]):
                wanted = "a number" if term.takes == "number" else "a date or a timestamp"
                yield (
                    f"FEATURE_TERMS: {term.name}={term.text} needs {wanted}, "
                    f"and {features.source}.{column} is of type {there[column].name}"
                )


def _fits(term: Term, found: SourceType) -> bool:
    return {"any": True, "number": found.is_number, "date": found.is_date}[term.takes]
