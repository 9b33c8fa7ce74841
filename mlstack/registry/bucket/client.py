"""An S3-compatible object store: what the model registry needs of one, and its errors as StoreRefused.

Objects are written once and never changed, except the index, which is replaced only by a writer who has read
the one that is there: a conditional put, with If-None-Match or If-Match.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlstack.registry.bucket.address import BucketAddress
from mlstack.runtime.refusals import ModelRefused, StoreRefused

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Store

_QUICK: ClientConfig = {
    "connect_timeout": "1s",
    "timeout": "2s",
}  # for the index, which is asked for every second
_LARGE: ClientConfig = {
    "connect_timeout": "2s",
    "read_timeout": "10s",
    "timeout": "1h",
}  # for files of any size
_CHUNK = 1 << 20


class Conflict(Exception):
    """Another writer has changed the object since it was read."""


class Found(NamedTuple):
    """An object; one that does not exist is empty and has no tag."""

    content: bytes
    tag: str


class Bucket:
    """Everything below one prefix of a bucket; nothing is connected before the first call."""

    def __init__(self, address: BucketAddress) -> None:
        self.address = address
        self._opened: tuple[S3Store, S3Store] | None = None

    def read(self, key: str, known: str | None = None) -> Found | None:
        """Return an object; None if it is still the one that has the tag `known`."""
        from obstore import get  # noqa: PLC0415 - an optional package
        from obstore.exceptions import NotModifiedError  # noqa: PLC0415

        with self._errors():
            try:
                got = get(self._quick, key, options={"if_none_match": known} if known else None)
                return Found(bytes(got.bytes()), got.meta["e_tag"] or "")
            except NotModifiedError:
                return None
            except FileNotFoundError:
                self.names()  # says so if the bucket itself is missing
                return None if known == "" else Found(b"", "")

    def replace(self, key: str, content: bytes, tag: str) -> str:
        """Replace the object that has this tag; return the new tag, or raise Conflict."""
        from obstore import put  # noqa: PLC0415
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415

        with self._errors():
            try:
                done = put(self._quick, key, content, mode={"e_tag": tag} if tag else "create")
            except (AlreadyExistsError, PreconditionError) as error:
                found = self.read(key)
                if found is not None and found.content == content:
                    return found.tag  # the answer to an earlier attempt was lost on its way
                raise Conflict from error
            return done["e_tag"] or ""

    def download(self, key: str, path: Path, sha256: str) -> None:
        """Write an object to `path`; raise ModelRefused unless it has this SHA-256."""
        from obstore import get  # noqa: PLC0415

        digest, draft = hashlib.sha256(), path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with self._errors(), draft.open("wb") as file:
                try:
                    for chunk in get(self._large, key).stream(_CHUNK):
                        digest.update(chunk)
                        file.write(chunk)
                except FileNotFoundError as error:
                    raise ModelRefused(f"{self.address.url}: {key} is missing") from error
            if digest.hexdigest() != sha256:
                raise ModelRefused(f"{self.address.url}: {key} is damaged: its SHA-256 differs")
            draft.chmod(0o644)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def upload(self, key: str, path: Path) -> None:
        """Write a file to an object whose name holds its digest, so that no writer disturbs another."""
        from obstore import put  # noqa: PLC0415

        with self._errors():
            put(self._large, key, path)

    def names(self, *, older_than: timedelta | None = None) -> list[str]:
        """Return the names of all objects, or of those that were written that long ago."""
        from obstore import list as listed  # noqa: PLC0415

        newest = datetime.now(UTC) - (older_than or timedelta())
        with self._errors():
            metas = (meta for page in listed(self._quick) for meta in page)
            return [meta["path"] for meta in metas if older_than is None or meta["last_modified"] < newest]

    def delete(self, keys: list[str]) -> None:
        """Delete objects."""
        from obstore import delete  # noqa: PLC0415

        with self._errors():
            if keys:
                delete(self._large, keys)

    @property
    def _quick(self) -> S3Store:
        return self._open()[0]

    @property
    def _large(self) -> S3Store:
        return self._open()[1]

    def _open(self) -> tuple[S3Store, S3Store]:
        if self._opened is None:
            self._opened = self.address.connect(_QUICK, retries=0), self.address.connect(_LARGE, retries=3)
        return self._opened

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from obstore.exceptions import BaseError  # noqa: PLC0415

        try:
            yield
        except (BaseError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # of a file here, not of the client
                raise
            raise StoreRefused(f"{self.address.url}: {self.address.reason(error)}") from error
