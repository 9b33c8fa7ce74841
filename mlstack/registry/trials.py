"""An operator's decisions on which versions are tried beside the current one."""

from __future__ import annotations

from pathlib import Path

from mlstack.registry.challengers import Decision, Role, begin, end, read_challenger, tried_version
from mlstack.registry.fitting import misfit
from mlstack.registry.history import PERSON
from mlstack.registry.layout import exclusive_writer, linked_version, version_numbers
from mlstack.registry.manifest import read_manifest, verify_version
from mlstack.registry.taken_back import read_taken_back
from mlstack.registry.verdicts import read_evaluation
from mlstack.runtime.refusals import ModelRefused, StoreRefused


def begin_shadow(root: Path, version: int) -> None:
    """Score `version` on the requests that the current one answers, from now on."""
    with exclusive_writer(root):
        beside = _check(root, version, same_rows=False)
        reason = f"scored on the requests that version {beside} answers"
        begin(root, "shadow", version, Decision(PERSON, f"models shadow {version}", reason))


def begin_canary(root: Path, version: int, share: float, *, force: bool = False) -> None:
    """Let `version` answer this share of the callers; only with `force` if it was rejected."""
    if not 0 < share < 1:
        raise StoreRefused(
            f"expected a share between 0 and 1, not {share:g}; `models promote {version}` is for all callers"
        )
    with exclusive_writer(root):
        beside = _check(root, version, same_rows=True)
        evaluation = read_evaluation(root / "versions" / str(version))
        if evaluation.verdict == "rejected" and not force:
            raise StoreRefused(
                f"version {version} was rejected: {evaluation.reason}; --force tries it all the same"
            )
        command = f"models canary {version} --share {share:g}{' --force' if force else ''}"
        reason = f"answers {share:.3g} of the callers, version {beside} the others"
        begin(root, "canary", version, Decision(PERSON, command, reason), share)


def end_trial(root: Path, role: Role) -> int:
    """End what is tried in this role; return its version."""
    with exclusive_writer(root):
        version = end(root, role, Decision(PERSON, f"models {role} --off", "ended by hand"))
        if version is None:
            raise StoreRefused(f"there is no {role}: `models {role} VERSION` begins one")
        return version


def settle(root: Path, events: Path) -> None:
    """If the servers have taken the canary back, end it in the volume too, which they cannot write to."""
    try:
        canary = read_challenger(root, "canary")
    except ModelRefused:
        return
    found = None if canary is None else read_taken_back(events, canary)
    if found is None:
        return
    with exclusive_writer(root):
        if tried_version(root, "canary") == found.version:
            end(root, "canary", Decision(found.by, "", f"taken back: {found.reason}"), found.at)


def _check(root: Path, version: int, *, same_rows: bool) -> int:
    """Return the current version; raise a Refusal if `version` cannot be tried beside it."""
    if version not in version_numbers(root):
        raise StoreRefused(f"there is no version {version}; `models list` shows what there is")
    current = linked_version(root, "current")
    if current is None:
        raise StoreRefused("no version is served yet, beside which another could be tried")
    if version == current:
        raise StoreRefused(f"version {version} is the current one: try another beside it")
    other = verify_version(root / "versions" / str(version))
    why = misfit(read_manifest(root / "versions" / str(current)), other, same_rows=same_rows)
    if why is not None:
        raise StoreRefused(f"version {version} cannot answer the requests of version {current}: {why}")
    return current
