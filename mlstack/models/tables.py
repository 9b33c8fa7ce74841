"""The model volume as text: the versions, one version, what was served and tried."""

from __future__ import annotations

from collections.abc import Sequence

from mlstack.registry.challengers import ROLES, read_tried, tried_version
from mlstack.registry.manifest import Manifest, read_manifest
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.refusals import ModelRefused, StoreRefused

_REGRESSOR = {"rmse": ".4g", "r2": ".4f"}  # the metrics in the list, and their format
_CLASSIFIER = {"log_loss": ".4g", "accuracy": ".4f"}


def list_versions(store: ModelStore) -> str:
    """Return all versions with their verdicts; which one is served, which are tried."""
    tried = {tried_version(store.root, role): role for role in ROLES}
    manifests = {version: _manifest(store, version) for version in store.versions()}
    there = {bool(manifest.classes) for manifest in manifests.values() if manifest is not None}
    shown = _REGRESSOR if there <= {False} else _CLASSIFIER if there == {True} else _REGRESSOR | _CLASSIFIER
    lines = [("version", "", "verdict", *shown, "rows", "created", "estimator", "reason")]
    for version, manifest in manifests.items():
        mark = "current" if version == store.current() else tried.get(version, "")
        evaluation = store.evaluation(version)
        if manifest is not None:
            lines.append((str(version), mark, *_cells(evaluation, manifest, shown)))
        else:
            empty = [""] * (len(lines[0]) - 4)
            lines.append((str(version), mark, "damaged", *empty, "see `models show`"))
    return _aligned(lines)


def _manifest(store: ModelStore, version: int) -> Manifest | None:
    try:
        return read_manifest(store.path(version))
    except ModelRefused:
        return None


def list_history(store: ModelStore) -> str:
    """Return what was served when, who decided it and why; then what was tried beside it."""
    lines = [
        (entry.at or "-", str(entry.version), entry.by, entry.command or "-", entry.reason)
        for entry in store.history()
    ]
    served = _aligned([("served from", "version", "by", "command", "reason"), *lines])
    tried = [
        (entry.at, str(entry.version), entry.role, entry.by, entry.command or "-", entry.reason)
        for entry in read_tried(store.root)
    ]
    if not tried:
        return served
    return f"{served}\n\n{_aligned([('tried', 'version', 'as', 'by', 'command', 'reason'), *tried])}"


def _aligned(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(row.rstrip() for row in rows)


def _cells(evaluation: Evaluation, manifest: Manifest, shown: dict[str, str]) -> tuple[str, ...]:
    found = manifest.metrics
    return (
        evaluation.verdict,
        *(format(found[name], form) if name in found else "-" for name, form in shown.items()),
        str(manifest.provenance.rows),
        manifest.provenance.created,
        manifest.estimator_name,
        evaluation.reason,
    )


def show(store: ModelStore, version: int) -> str:
    """Return manifest and evaluation of a version; raise StoreRefused or ModelRefused."""
    if version not in store.versions():
        raise StoreRefused(f"there is no version {version}; `models list` shows what there is")
    store.verified(version)
    paths = [store.path(version) / name for name in ("manifest.json", "evaluation.json")]
    texts = (f"{path.name}: {path.read_text(encoding='utf-8').rstrip()}" for path in paths if path.exists())
    return "\n".join(texts)
