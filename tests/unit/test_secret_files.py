"""Secrets from files: a change counts once it is whole, and a mistake never replaces what is in use."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from mlstack.runtime.secret_files import Secret, follow
from mlstack.runtime.settings import SettingsError, read_database_url, read_url

GOOD = "postgresql://reader:first@database:5432/dsproject"
CHANGED = "postgresql://reader:second@database:5432/dsproject"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of DATABASE_URL."""
    path = tmp_path / "value"
    path.write_text(GOOD)
    monkeypatch.setenv("DATABASE_URL_FILE", str(path))
    return path


def secret() -> Secret[str]:
    """Return DATABASE_URL as the servers read it."""
    return Secret("DATABASE_URL", lambda: read_database_url("DATABASE_URL"))


def test_a_change_counts_when_two_looks_have_found_it(file: Path) -> None:
    url = secret()
    file.write_text(CHANGED)

    url.look()
    after_one = url.value
    url.look()

    assert (after_one, url.value) == (GOOD, CHANGED)


def test_what_is_still_being_written_does_not_count(file: Path) -> None:
    url = secret()
    for length in range(1, len(CHANGED), 7):
        file.write_text(CHANGED[:length])

        url.look()

        assert url.value == GOOD


def test_a_file_in_the_place_of_the_old_one_counts(file: Path) -> None:
    """Editors, `sed -i` and `mv` do it."""
    url = secret()
    draft = file.with_name("draft")
    draft.write_text(CHANGED)
    draft.replace(file)

    url.look()
    url.look()

    assert url.value == CHANGED


@pytest.mark.parametrize(
    "content", ["", "\n", "database:5432", "mysql://a:b@c/d", "postgresql://a:b@c:port/d"]
)
def test_what_cannot_be_used_is_logged_once_and_does_not_count(
    file: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    url = secret()
    file.write_text(content)

    for _ in range(5):
        url.look()

    assert url.value == GOOD
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "refused" in line.message
    assert "first" not in str(vars(line))


def test_a_deleted_file_does_not_count_until_it_is_back(file: Path) -> None:
    url = secret()
    file.unlink()
    url.look()
    url.look()
    gone = url.value
    file.write_text(CHANGED)
    url.look()
    url.look()

    assert (gone, url.value) == (GOOD, CHANGED)


def test_a_password_file_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its characters are quoted for the URL."""
    password = tmp_path / "password"
    password.write_text("one")
    monkeypatch.setenv("REDIS_URL", "redis://api@redis:6379/0")
    monkeypatch.setenv("REDIS_URL_PASSWORD_FILE", str(password))
    url = Secret("REDIS_URL", lambda: read_url("REDIS_URL"))
    password.write_text("t/w@o\n")

    url.look()
    url.look()

    assert url.value == "redis://api:t%2Fw%40o@redis:6379/0"


def test_a_followed_secret_changes_by_itself(file: Path) -> None:
    url = secret()
    follow(url)
    file.write_text(CHANGED)
    deadline = time.monotonic() + 10

    while url.value != CHANGED and time.monotonic() < deadline:
        time.sleep(0.05)

    assert url.value == CHANGED


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "UTF-8"),
        (b"x", "must look like postgresql://"),
        (None, "No such file"),
    ],
)
def test_at_the_start_a_mistake_is_one_line(file: Path, content: bytes | None, reason: str) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)

    with pytest.raises(SettingsError, match=reason):
        secret()
