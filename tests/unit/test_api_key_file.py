"""API keys from a file that changes: an accident with it must not open the service."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mlstack.runtime.settings import SettingsError
from mlstack.web.api_keys import ApiKeys
from mlstack.web.problems import Unauthorized

FIRST, SECOND = "first-key-0123456789", "second-key-0123456789"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of keys, with one in it."""
    path = tmp_path / "value"
    path.write_text(FIRST)
    monkeypatch.setenv("API_KEYS_FILE", str(path))
    return path


def accepts(keys: ApiKeys, key: str) -> bool:
    """Return whether a request with this key is let through."""
    try:
        keys.check("/predict", key.encode())
    except Unauthorized:
        return False
    return True


def change(keys: ApiKeys, file: Path, content: str) -> None:
    """Write the file, and let it be found."""
    file.write_text(content)
    keys.secret.look()
    keys.secret.look()


def test_a_removed_key_no_longer_counts_and_a_new_one_does(file: Path) -> None:
    keys = ApiKeys()

    change(keys, file, f"{SECOND}\n")

    assert (accepts(keys, FIRST), accepts(keys, SECOND)) == (False, True)


@pytest.mark.parametrize("content", ["", "\n , \n", "short", f"{SECOND}\nshort"])
def test_a_mistake_leaves_the_earlier_keys_in_use(file: Path, content: str) -> None:
    keys = ApiKeys()

    change(keys, file, content)

    assert (accepts(keys, FIRST), accepts(keys, SECOND), accepts(keys, "")) == (True, False, False)


def test_an_empty_file_at_the_start_asks_for_no_key_and_warns(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("\n")

    keys = ApiKeys()

    assert accepts(keys, "")
    (line,) = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert "requests need no API key" in line


def test_keys_in_a_file_that_was_empty_close_the_service(file: Path) -> None:
    file.write_text("")
    keys = ApiKeys()

    change(keys, file, FIRST)

    assert (accepts(keys, ""), accepts(keys, FIRST)) == (False, True)


def test_a_short_key_at_the_start_is_refused(file: Path) -> None:
    file.write_text("short")

    with pytest.raises(SettingsError, match="at least 16 characters"):
        ApiKeys()
