"""The index of a model store in a bucket: which files there are and which version is served, in one object.

All files are immutable objects named after their place and their SHA-256. What a command changes counts when
the index is replaced, as a whole or not at all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec

from mlstack.registry.layout import ARTIFACT, linked_version
from mlstack.registry.manifest import file_digest
from mlstack.runtime.refusals import StoreRefused

KEY = "index.json"
LARGE_FILES = (ARTIFACT, "model.pkl")  # downloaded when they are needed; the others at once

FilePath = Annotated[str, msgspec.Meta(pattern=r"^(versions/[0-9]{1,9}/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Size = Annotated[int, msgspec.Meta(ge=0)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Entry(msgspec.Struct, frozen=True):
    """A file as it was published."""

    sha256: Digest
    size: Size  # in bytes


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """The content of index.json."""

    format: int = 1
    current: int | None = None
    latest: int | None = None
    files: dict[FilePath, Entry] = {}

    def of_version(self, version: int) -> dict[str, Entry]:
        """Return the files of a version by their paths."""
        return {path: entry for path, entry in self.files.items() if path.startswith(f"versions/{version}/")}

    def versions(self) -> set[int]:
        """Return the numbers of the versions."""
        return {number for path in self.files if (number := version_of(path)) is not None}


def version_of(path: str) -> int | None:
    """Return the version that a file belongs to, None if it belongs to the store."""
    found = re.match(r"versions/([0-9]+)/", path)
    return int(found[1]) if found else None


def object_name(path: str, entry: Entry) -> str:
    """Return the key of a file's object."""
    return f"{path}.{entry.sha256}"


def decode_index(content: bytes, where: str) -> Index:
    """Return an index; an object that is not there yet is an empty one."""
    try:
        index = msgspec.json.decode(content, type=Index) if content else Index()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreRefused(f"{where}: {KEY} is damaged ({error}): restore an earlier one") from error
    if index.format != 1:
        raise StoreRefused(f"{where}: {KEY} is of a later release: update this one")
    return index


def encode_index(index: Index) -> bytes:
    """Return an index as JSON."""
    return msgspec.json.format(msgspec.json.encode(index, order="deterministic"), indent=1) + b"\n"


def index_of(folder: Path, before: Index) -> Index:
    """Return the index of a folder that was made by `before` and changed since.

    Large files may be missing in it, unless they are new.
    """
    files = {}
    for path in sorted(folder.glob("*")) + sorted(folder.glob("versions/*/*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or path.name.startswith("."):
            continue
        known = before.files.get(name) if path.name in LARGE_FILES else None
        files[name] = known or Entry(file_digest(path), path.stat().st_size)
    for name, entry in before.files.items():
        if Path(name).name in LARGE_FILES and (folder / name).parent.is_dir():
            files.setdefault(name, entry)
    current, latest = linked_version(folder, "current"), linked_version(folder, "latest")
    return Index(current=current, latest=latest, files=dict(sorted(files.items())))
