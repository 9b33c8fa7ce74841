"""The command line of the model volume: python -m mlstack.models list."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from mlstack.models.comparing import compare_versions
from mlstack.models.tables import list_history, list_versions, show
from mlstack.registry.opening import open_model_store
from mlstack.registry.store import ModelStore
from mlstack.registry.trials import begin_canary, begin_shadow, end_trial, settle
from mlstack.runtime.refusals import Refusal, StoreRefused
from mlstack.runtime.settings import SettingsError, env


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        store = open_model_store()
        if store.has_trials:
            settle(store.root, Path(env("MODEL_EVENTS_DIR", "/events")))
        print(_run(options, store))
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
    shadow = commands.add_parser("shadow", help="score this version on the requests that were answered")
    _of_one_version(shadow)
    canary = commands.add_parser("canary", help="let this version answer a share of the callers")
    _of_one_version(canary)
    canary.add_argument("--share", type=float, default=0.1, help="of the callers, between 0 and 1 (0.1)")
    canary.add_argument("--force", action="store_true", help="even if it was rejected")
    compare = commands.add_parser("compare", help="what a shadow says, beside the current version's answers")
    compare.add_argument("version", type=int)
    compare.add_argument("--json", action="store_true", help="as JSON")
    commands.add_parser("history", help="what was served and tried when, who decided it and why")
    prune = commands.add_parser(
        "prune", help="delete old versions; not the current, the latest, the previous"
    )
    prune.add_argument("--keep", type=int, default=5, metavar="K", help="number of versions to keep (5)")
    return parser


def _of_one_version(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("version", type=int, nargs="?")
    which.add_argument("--off", action="store_true", help="end it")


def _run(options: argparse.Namespace, store: ModelStore) -> str:
    commands: dict[str, Callable[[argparse.Namespace, ModelStore], str]] = {
        "list": lambda _, store: list_versions(store),
        "show": lambda given, store: show(store, given.version),
        "promote": _promote,
        "rollback": lambda given, store: f"version {store.rollback(force=given.force)} is current",
        "shadow": _try,
        "canary": _try,
        "compare": lambda given, store: compare_versions(store, given.version, as_json=given.json),
        "history": lambda _, store: list_history(store),
        "prune": _prune,
    }
    return commands[options.command](options, store)


def _promote(options: argparse.Namespace, store: ModelStore) -> str:
    store.promote(options.version, force=options.force)
    return f"version {options.version} is current"


def _prune(options: argparse.Namespace, store: ModelStore) -> str:
    deleted = store.prune(options.keep)
    return f"deleted {', '.join(map(str, deleted))}" if deleted else "nothing to delete"


def _try(options: argparse.Namespace, store: ModelStore) -> str:
    if not store.has_trials:
        raise StoreRefused("a version is tried in a model volume only, and MODEL_STORE names a bucket")
    if options.off:
        return f"version {end_trial(store.root, options.command)} is no {options.command} any more"
    if options.command == "shadow":
        begin_shadow(store.root, options.version)
        return f"version {options.version} is the shadow"
    begin_canary(store.root, options.version, options.share, force=options.force)
    return f"version {options.version} answers {options.share:.3g} of the callers"


if __name__ == "__main__":
    sys.exit(main())
