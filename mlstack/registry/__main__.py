"""The command line of the model registry: python -m mlstack.registry list."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from mlstack.registry.manifest import Manifest, read_manifest
from mlstack.registry.opening import open_model_store
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.refusals import ModelRefused, Refusal, StoreRefused
from mlstack.runtime.settings import SettingsError

_REGRESSOR = {"rmse": ".4g", "r2": ".4f"}  # the metrics in the list, and their format
_CLASSIFIER = {"log_loss": ".4g", "accuracy": ".4f"}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        print(_run(options, open_model_store()))
    except (Refusal, SettingsError) as refused:
        print(f"models: {refused}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="models", description="The model versions in the volume.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="all versions with their verdicts; which one is served")
    commands.add_parser("show", help="manifest and evaluation of a version").add_argument("version", type=int)
    promote = commands.add_parser("promote", help="serve this version from now on")
    promote.add_argument("version", type=int)
    promote.add_argument("--force", action="store_true", help="even if it was rejected or has other columns")
    rollback = commands.add_parser("rollback", help="serve the version that was served before")
    rollback.add_argument("--force", action="store_true", help="even if it has other columns")
    commands.add_parser("history", help="what was served when, who decided it and why")
    prune = commands.add_parser(
        "prune", help="delete old versions; not the current, the latest, the previous"
    )
    prune.add_argument("--keep", type=int, default=5, metavar="K", help="number of versions to keep (5)")
    return parser


def _run(options: argparse.Namespace, store: ModelStore) -> str:
    match options.command:
        case "list":
            return _list(store)
        case "show":
            return _show(store, options.version)
        case "promote":
            store.promote(options.version, force=options.force)
            return f"version {options.version} is current"
        case "rollback":
            return f"version {store.rollback(force=options.force)} is current"
        case "history":
            return _history(store)
        case _:
            deleted = store.prune(options.keep)
            return f"deleted {', '.join(map(str, deleted))}" if deleted else "nothing to delete"


def _list(store: ModelStore) -> str:
    manifests = {version: _manifest(store, version) for version in store.versions()}
    there = {bool(manifest.classes) for manifest in manifests.values() if manifest is not None}
    shown = _REGRESSOR if there <= {False} else _CLASSIFIER if there == {True} else _REGRESSOR | _CLASSIFIER
    lines = [("version", "", "verdict", *shown, "rows", "created", "estimator", "reason")]
    for version, manifest in manifests.items():
        mark, evaluation = "current" if version == store.current() else "", store.evaluation(version)
        if manifest is not None:
            lines.append((str(version), mark, *_cells(evaluation, manifest, shown)))
        else:
            empty = [""] * (len(lines[0]) - 4)
            lines.append((str(version), mark, "damaged", *empty, "see `models show`"))
    return _table(lines)


def _manifest(store: ModelStore, version: int) -> Manifest | None:
    try:
        return read_manifest(store.path(version))
    except ModelRefused:
        return None


def _history(store: ModelStore) -> str:
    lines = [
        (entry.at or "-", str(entry.version), entry.by, entry.command or "-", entry.reason)
        for entry in store.history()
    ]
    return _table([("served from", "version", "by", "command", "reason"), *lines])


def _table(lines: Sequence[tuple[str, ...]]) -> str:
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


def _show(store: ModelStore, version: int) -> str:
    if version not in store.versions():
        raise StoreRefused(f"there is no version {version}; `models list` shows what there is")
    store.verified(version)
    paths = [store.path(version) / name for name in ("manifest.json", "evaluation.json")]
    texts = (f"{path.name}: {path.read_text(encoding='utf-8').rstrip()}" for path in paths if path.exists())
    return "\n".join(texts)


if __name__ == "__main__":
    sys.exit(main())
