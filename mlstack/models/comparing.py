"""`models compare`: reads the prediction log and compares two versions."""

from __future__ import annotations

import msgspec

from mlstack.challenger.comparison import compare
from mlstack.challenger.pairs import pairs_query, read_pairs
from mlstack.challenger.text import describe
from mlstack.data.database import connected
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import StoreRefused
from mlstack.runtime.settings import read_database_url

_MOST_REQUESTS = 10_000


def compare_versions(store: ModelStore, version: int, *, as_json: bool) -> str:
    """Return the comparison of a version with the current one, as text or JSON; raise a Refusal."""
    current = store.current()
    if current is None:
        raise StoreRefused("no version is served yet, with which another could be compared")
    if version not in store.versions():
        raise StoreRefused(f"there is no version {version}; `models list` shows what there is")
    if version == current:
        raise StoreRefused(f"version {version} is the current one: compare another with it")
    with connected(read_database_url("LOG_DATABASE_URL")) as connection, connection.cursor() as cursor:
        cursor.execute(pairs_query(version, current, _MOST_REQUESTS))
        (text,) = cursor.fetchone() or ("[]",)
    found = compare(version, current, read_pairs(text))
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() if as_json else describe(found)
