"""models shadow and models canary: what may be tried, how it ends, and what the history tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlstack.models.__main__ import main
from mlstack.registry.challengers import Challenger, read_challenger, read_tried
from mlstack.registry.store import ModelStore
from mlstack.registry.taken_back import write_taken_back
from mlstack.training.config import TrainingConfig
from tests.harness.model_versions import line_table, promote, publish
from tests.harness.processes.tried_versions import publish_of_columns, volume_of_lines


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """Of three lines version 1 is current; versions 4 and 5 have other columns or another target."""
    monkeypatch.setenv("MODEL_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("MODEL_EVENTS_DIR", str(tmp_path / "events"))
    (tmp_path / "events").mkdir()
    store = volume_of_lines(tmp_path / "models", 2.0, 3.0, 4.0)
    publish_of_columns(store, "x", "z")
    publish(store, line_table(6.0), TrainingConfig(features=("x",), target="w"))
    return store


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Where servers tell that they have taken a canary back."""
    return tmp_path / "events"


def tried(store: ModelStore) -> list[tuple[str, int, str]]:
    return [(entry.role, entry.version, entry.reason) for entry in read_tried(store.root)]


def canary_of(store: ModelStore) -> Challenger:
    canary = read_challenger(store.root, "canary")
    assert canary is not None
    return canary


def test_a_version_is_tried_until_it_is_ended(store: ModelStore, capsys: pytest.CaptureFixture[str]) -> None:
    commands = ["shadow 2", "canary 3 --share 0.25", "shadow 3", "shadow --off", "canary --off"]

    assert [main(command.split()) for command in commands] == [0] * 5

    assert capsys.readouterr().out.splitlines() == [
        "version 2 is the shadow",
        "version 3 answers 0.25 of the callers",
        "version 3 is the shadow",
        "version 3 is no shadow any more",
        "version 3 is no canary any more",
    ]
    assert tried(store) == [
        ("shadow", 2, "scored on the requests that version 1 answers"),
        ("canary", 3, "answers 0.25 of the callers, version 1 the others"),
        ("shadow", 3, "scored on the requests that version 1 answers"),
        ("shadow", 3, "ended by hand"),
        ("canary", 3, "ended by hand"),
    ]
    assert [read_challenger(store.root, role) for role in ("shadow", "canary")] == [None, None]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("shadow 9", "there is no version 9; `models list` shows what there is"),
        ("shadow 1", "version 1 is the current one"),
        ("shadow 4", "it needs the column z, which requests do not have"),
        ("shadow 5", "it predicts w, not y"),
        ("canary 4", "it takes the columns x, z, not x"),
        ("canary 2 --share 1", "expected a share between 0 and 1, not 1; `models promote 2` is for all"),
        ("canary 2 --share 0", "expected a share between 0 and 1"),
        ("canary 2 --share nan", "expected a share between 0 and 1"),
        ("shadow --off", "there is no shadow: `models shadow VERSION` begins one"),
        ("compare 1", "version 1 is the current one: compare another with it"),
        ("compare 9", "there is no version 9"),
    ],
)
def test_what_cannot_be_tried_is_one_line(
    store: ModelStore, command: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert tried(store) == []


def test_a_rejected_version_is_a_canary_by_force_only(
    store: ModelStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a shadow it answers nobody."""
    store.reject(2, "RMSE 9 is worse than 1")

    codes = [main(command.split()) for command in ("shadow 2", "canary 2", "canary 2 --force")]

    assert codes == [0, 1, 0]
    assert "version 2 was rejected: RMSE 9 is worse than 1; --force tries it" in capsys.readouterr().err


def test_a_shadow_may_need_fewer_columns(store: ModelStore) -> None:
    """The requests of version 4 have x and z; version 1 takes x."""
    promote(store, 4)

    assert [main(["shadow", "1"]), main(["canary", "1"])] == [0, 1]


@pytest.mark.parametrize("decide", ["promote", "gate", "rollback"])
def test_what_becomes_current_is_not_tried_any_more(store: ModelStore, decide: str) -> None:
    """Otherwise it would be tried again as soon as another version replaces it."""
    promote(store, 3)
    main(["shadow", "1" if decide == "rollback" else "2"])
    main(["canary", "1" if decide == "rollback" else "2"])

    if decide == "promote":
        store.promote(2)
    elif decide == "gate":
        promote(store, 2)
    else:
        store.rollback()

    assert [read_challenger(store.root, role) for role in ("shadow", "canary")] == [None, None]
    assert [entry[2] for entry in tried(store)[-2:]] == ["is the current version now"] * 2


def test_what_is_tried_is_not_pruned(store: ModelStore) -> None:
    main(["shadow", "2"])
    main(["canary", "3"])

    assert store.prune(keep=1) == [4]
    assert store.versions() == [1, 2, 3, 5]


def test_a_canary_that_the_servers_have_taken_back_is_ended_and_told(
    store: ModelStore, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["canary", "2", "--share", "0.5"])
    write_taken_back(events, canary_of(store), "api", "7 of its calls failed")
    capsys.readouterr()

    assert main(["history"]) == 0

    last = capsys.readouterr().out.splitlines()[-1]
    assert last.split()[1:4] == ["2", "canary", "api"]
    assert last.endswith("taken back: 7 of its calls failed")
    assert read_challenger(store.root, "canary") is None
    assert main(["canary", "2"]) == 0
    assert main(["list"]) == 0
    assert canary_of(store).version == 2  # another trial of the same version


def test_a_damaged_word_of_a_server_counts_as_taken_back(store: ModelStore, events: Path) -> None:
    """Whatever it says: no control character reaches the terminal."""
    main(["canary", "2"])
    content = {"version": 2, "at": "now", "by": "api", "reason": "\x1b[2J"}
    (events / f"canary-{canary_of(store).trial}.json").write_text(json.dumps(content))

    assert main(["list"]) == 0

    assert read_tried(store.root)[-1].by == "unknown"
    assert "\x1b" not in read_tried(store.root)[-1].reason


@pytest.mark.usefixtures("store")
def test_the_list_marks_what_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    main(["shadow", "2"])
    main(["canary", "3"])
    capsys.readouterr()

    main(["list"])

    marks = [line.split()[1] for line in capsys.readouterr().out.splitlines()[1:]]
    assert marks[:3] == ["current", "shadow", "canary"]
