"""Whether a server honours the conditions of a put, on which every change of a store in a bucket rests."""

from __future__ import annotations

import secrets

from mlstack.registry.bucket.client import Bucket, Conflict
from mlstack.runtime.refusals import StoreRefused


def check_conditions(bucket: Bucket) -> None:
    """Raise StoreRefused if the server ignores If-None-Match or If-Match, as some do without a word."""
    key = f"conditions/{secrets.token_hex(8)}"
    tag = bucket.replace(key, b"first", "")
    for condition, expected in (("If-None-Match", ""), ("If-Match", f'"{secrets.token_hex(16)}"')):
        try:
            bucket.replace(key, secrets.token_bytes(8), expected)
        except Conflict:
            continue
        raise StoreRefused(
            f"{bucket.address.url}: the server ignores the condition {condition} of a put, so writers could "
            "undo each other's work unnoticed: use a server that honours it (docs/model-store.md)"
        )
    if bucket.replace(key, b"second", tag) == tag:
        raise StoreRefused(
            f"{bucket.address.url}: the server gives other content the same ETag: use another one"
        )
    bucket.delete([key])
