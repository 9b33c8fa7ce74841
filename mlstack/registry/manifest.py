"""The manifest of a version: everything a prediction depends on, and the SHA-256 of each file."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from mlstack.registry.columns import Class, Column
from mlstack.registry.intervals import Interval
from mlstack.registry.regular_files import read_regular_file
from mlstack.runtime.refusals import ModelRefused

FILE_NAME = "manifest.json"
_LARGEST_MANIFEST = 4 << 20  # bytes
_ADVICE = "roll back with `models rollback`, or run model-train to publish the version again"


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """The origin of a version. `content` identifies it: equal content is never published twice."""

    content: str  # SHA-256 over data, code and parameters
    data: str  # SHA-256 over the rows as they were read
    table: str
    rows: int
    test_fraction: float
    split: Literal["shuffled", "stratified", "hashed"] = "shuffled"  # see mlstack/training/splitting.py
    created: str
    libraries: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The content of manifest.json."""

    version: int = 0
    features: tuple[str, ...]
    columns: tuple[Column, ...] = ()  # one per feature; none in manifests of the first release
    target: str
    classes: tuple[Class, ...] = ()  # of a classifier, in the order of its probabilities
    estimator: str  # dotted class, several separated by commas for a pipeline of them
    parameters: dict[str, Any]
    metrics: dict[str, float]  # on the hold-out, such as rmse or log_loss, and baseline_…
    coefficients: dict[str, float] = {}  # of a linear model: one per feature, and "intercept"
    interval: Interval
    provenance: Provenance
    files: dict[str, str] = {}  # name -> SHA-256
    digest: str = ""  # SHA-256 over all of the above

    @property
    def schema(self) -> tuple[Column, ...]:
        """The columns of a row; features of the first release are numbers that are never NULL."""
        return self.columns or tuple(Column(name=name, kind="number") for name in self.features)

    @property
    def table_columns(self) -> tuple[Column, ...]:
        """The columns of the training table: those of a row, then the target."""
        if not self.classes or type(self.classes[0]) is int:
            return (*self.schema, Column(name=self.target, kind="number"))
        if isinstance(self.classes[0], bool):
            return (*self.schema, Column(name=self.target, kind="boolean"))
        names = tuple(str(each) for each in self.classes)
        return (*self.schema, Column(name=self.target, kind="category", categories=names))

    @property
    def estimator_name(self) -> str:
        """The class without its module; a pipeline reads `StandardScaler, Ridge`."""
        return ", ".join(re.split("[.:]", part.strip())[-1] for part in self.estimator.split(","))


def with_digest(manifest: Manifest) -> Manifest:
    """Return the manifest with the digest of its other members."""
    without = msgspec.structs.replace(manifest, digest="")
    content = msgspec.json.encode(without, order="deterministic")
    return msgspec.structs.replace(manifest, digest=hashlib.sha256(content).hexdigest())


def write_manifest(directory: Path, manifest: Manifest, version: int) -> None:
    """Write manifest.json with the number of the version and the SHA-256 of every file in `directory`."""
    files = {path.name: file_digest(path) for path in sorted(directory.iterdir())}
    complete = with_digest(msgspec.structs.replace(manifest, version=version, files=files))
    content = msgspec.json.encode(complete, order="deterministic")
    (directory / FILE_NAME).write_bytes(msgspec.json.format(content, indent=2) + b"\n")


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of the version in `directory`; raise ModelRefused if it is missing or changed."""
    path = directory / FILE_NAME
    content = read_regular_file(directory, FILE_NAME, _LARGEST_MANIFEST, _ADVICE)
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelRefused(f"{path}: is not a valid manifest ({error}): {_ADVICE}") from error
    if _digest_of_document(content) != manifest.digest:
        raise ModelRefused(f"{path}: was changed after publishing (its digest differs): {_ADVICE}")
    return manifest


def _digest_of_document(content: bytes) -> str:
    """Return the digest of the JSON document itself, which may have members of a later release."""
    document = msgspec.json.decode(content)
    document["digest"] = ""
    return hashlib.sha256(msgspec.json.encode(document)).hexdigest()


def file_digest(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_file(directory: Path, manifest: Manifest, name: str) -> Path:
    """Return the path of the file `name`; raise ModelRefused unless its SHA-256 is that of the manifest."""
    path = directory / name
    try:
        digest = file_digest(path)
    except OSError as error:
        raise ModelRefused(f"{path}: cannot be read ({error.strerror}): {_ADVICE}") from error
    if digest != manifest.files.get(name):
        raise _changed(path)
    return path


def verify_version(directory: Path) -> Manifest:
    """Verify the SHA-256 of every file of the version in `directory`; return its manifest."""
    manifest = read_manifest(directory)
    for name in manifest.files:
        verify_file(directory, manifest, name)
    return manifest


def read_verified(directory: Path, manifest: Manifest, name: str, most_bytes: int) -> bytes:
    """Return the content of the file `name`; raise ModelRefused unless it is what was published."""
    content = read_regular_file(directory, name, most_bytes, _ADVICE)
    if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
        raise _changed(directory / name)
    return content


def _changed(path: Path) -> ModelRefused:
    return ModelRefused(f"{path}: is not the file that was published (SHA-256 differs): {_ADVICE}")
