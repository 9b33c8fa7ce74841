"""python -m mlstack.models: what is there, what is served, and back again."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlstack.models.__main__ import main
from mlstack.registry.store import ModelStore
from tests.harness.model_versions import line_table, promote, publish


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    store = ModelStore(tmp_path)
    promote(store, publish(store, line_table()))
    promote(store, publish(store, line_table(3.0)))
    store.reject(publish(store, line_table(4.0)), "RMSE 9 is worse than 1")
    return store


def test_list_shows_every_version_and_its_verdict(
    store: ModelStore, capsys: pytest.CaptureFixture[str]
) -> None:
    (store.path(1) / "manifest.json").write_text("{")

    assert main(["list"]) == 0

    heading, first, second, third = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["version", "verdict", "rmse"]
    assert first.split()[:2] == ["1", "damaged"]
    assert second.split()[:3] == ["2", "current", "promoted"]
    assert third.split()[:2] == ["3", "rejected"]
    assert third.endswith("RMSE 9 is worse than 1")


def test_show_prints_the_manifest_and_the_decision(
    store: ModelStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "3"]) == 0

    output = capsys.readouterr().out
    assert store.verified(3).digest in output
    assert '"verdict": "rejected"' in output


def test_promote_rollback_and_prune(store: ModelStore, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [main(["rollback"]), main(["promote", "3", "--force"]), main(["prune", "--keep", "1"])]

    assert codes == [0, 0, 0]
    assert capsys.readouterr().out.splitlines() == [
        "version 1 is current",
        "version 3 is current",
        "deleted 2",
    ]
    assert store.versions() == [1, 3]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["show", "9"], "there is no version 9"),
        (["promote", "9"], "there is no version 9"),
        (["promote", "3"], "version 3 was rejected: RMSE 9 is worse than 1; --force promotes it"),
        (["prune", "--keep", "0"], "at least 1 version must be kept"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1

    output = capsys.readouterr()
    assert reason in output.err
    assert len(output.err.splitlines()) == 1
    assert output.out == ""
