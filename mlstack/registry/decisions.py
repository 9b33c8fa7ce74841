"""An operator's decisions: which version is served from now on. The quality gate never overrules them."""

from __future__ import annotations

from pathlib import Path

from mlstack.registry.challengers import end_of_the_served
from mlstack.registry.history import (
    PERSON,
    append,
    read_history,
    serve,
    served_now,
    serving_order,
)
from mlstack.registry.layout import exclusive_writer, linked_version, set_current, version_numbers
from mlstack.registry.manifest import Manifest, read_manifest, verify_version
from mlstack.registry.verdicts import Evaluation, accept_rejection, read_evaluation, write_evaluation
from mlstack.runtime.refusals import ModelRefused, StoreRefused


def promote(root: Path, version: int, *, force: bool) -> None:
    """Make `version` current; without `force` neither a rejected one nor one with other columns."""
    if version not in version_numbers(root):
        raise StoreRefused(f"there is no version {version}; `models list` shows what there is")
    manifest, evaluation = verify_version(_directory(root, version)), _evaluation(root, version)
    if evaluation.verdict == "rejected" and not force:
        raise StoreRefused(f"version {version} was rejected: {evaluation.reason}; --force promotes it")
    command = _command(f"models promote {version}", force)
    with exclusive_writer(root):
        _check_columns(root, version, manifest, force)
        serve(root, served_now(version, PERSON, command, "promoted by hand"))
        _decide(root, version, evaluation.with_verdict("promoted", "promoted by hand"))


def rollback(root: Path, *, force: bool) -> int:
    """Make the version current that was served before the current one; return its number.

    The replaced version gets the verdict "rolled back", so that the quality gate does not promote it again.
    """
    with exclusive_writer(root):
        current, version = linked_version(root, "current"), previous_version(root)
        if current is None:
            raise StoreRefused("nothing to roll back: no version has been promoted yet")
        if version is None:
            raise StoreRefused(
                f"nothing to roll back to: of the versions served before version {current} none is left"
            )
        _check_columns(root, version, verify_version(_directory(root, version)), force)
        command, reason = _command("models rollback", force), f"rolled back from version {current}"
        append(root, served_now(version, PERSON, command, reason, rolled_back=current))
        undone = _evaluation(root, current).with_verdict("rolled back", f"rolled back to version {version}")
        write_evaluation(_directory(root, current), undone)
        set_current(root, version)
        end_of_the_served(root, version, PERSON, command)
        _decide(root, version, _evaluation(root, version).with_verdict("promoted", reason))
        return version


def previous_version(root: Path) -> int | None:
    """Return what a rollback would serve: the last version before that is undamaged and was not rejected."""
    for version in rollback_candidates(root):
        try:
            verify_version(_directory(root, version))
        except ModelRefused:
            continue
        return version
    return None


def rollback_candidates(root: Path) -> list[int]:
    """Return the versions that a rollback may serve, the first undamaged one of which it does."""
    order, known = serving_order(read_history(root)), set(version_numbers(root))
    return [
        version
        for version in reversed(order[:-1])
        if version != order[-1] and version in known and _evaluation(root, version).verdict != "rejected"
    ]


def _check_columns(root: Path, version: int, manifest: Manifest, force: bool) -> None:
    """Raise StoreRefused if the served version has other columns: its clients' requests would be refused."""
    current = linked_version(root, "current")
    if force or current is None:
        return
    try:
        served = read_manifest(_directory(root, current))
    except ModelRefused:
        return  # it is damaged: any other version is better
    if (served.features, served.target) != (manifest.features, manifest.target):
        raise StoreRefused(
            f"version {version} predicts {_columns(manifest)}, but version {current}, which is served, "
            f"predicts {_columns(served)}: clients would be refused; --force serves it"
        )


def _columns(manifest: Manifest) -> str:
    return f"{manifest.target} from {', '.join(manifest.features)}"


def _decide(root: Path, version: int, evaluation: Evaluation) -> None:
    """Store the verdict, and that an operator has decided since all rejections."""
    write_evaluation(_directory(root, version), evaluation)
    for other in version_numbers(root):
        accept_rejection(_directory(root, other))


def _evaluation(root: Path, version: int) -> Evaluation:
    return read_evaluation(_directory(root, version))


def _directory(root: Path, version: int) -> Path:
    return root / "versions" / str(version)


def _command(command: str, force: bool) -> str:
    return f"{command} --force" if force else command
