"""Settings from environment variables, read once at start-up.

Every mistake is a `SettingsError` with one readable line that names the variable.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from mlstack.runtime.database_urls import for_writing, server_addresses

DEMO_PASSWORDS = frozenset(
    {
        "postgres",
        "pipeline-demo",
        "reader-demo",
        "inference-demo",
        "redis-demo",
        "redis-api-demo",
        "redis-exporter-demo",
        "rabbitmq-demo",
        "monitor-demo",
        "drift-demo",
        "sealing-demo",
    }
)


class SettingsError(ValueError):
    """A setting is missing or malformed; the message says which and what was expected."""


def env(name: str, default: str | None = None) -> str:
    """Return the variable `name`; an empty value counts as not set."""
    value = os.environ.get(name, "")
    if value:
        return value
    if default is None:
        raise SettingsError(f"{name} is not set: give it a value in .env or in the environment")
    return default


def env_int(name: str, default: int, minimum: int = 0) -> int:
    """Return a whole number of at least `minimum`."""
    text = env(name, str(default))
    try:
        value = int(text)
    except ValueError:
        raise SettingsError(f"{name} must be a whole number, not {text!r}") from None
    if value < minimum:
        raise SettingsError(f"{name} must be at least {minimum}, not {value}")
    return value


def env_float(name: str, default: float, minimum: float = 0.0) -> float:
    """Return a finite number of at least `minimum`."""
    text = env(name, str(default))
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} must be a number, not {text!r}") from None
    if not minimum <= value < float("inf"):
        raise SettingsError(f"{name} must be a finite number of at least {minimum}, not {text}")
    return value


def env_flag(name: str, default: bool = False) -> bool:
    """Return true for 1, true, yes or on, false for 0, false, no or off."""
    text = env(name, "true" if default else "false").lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{name} must be true or false, not {text!r}")


def env_list(name: str, default: str) -> tuple[str, ...]:
    """Return the non-empty items of a comma-separated list."""
    return tuple(part.strip() for part in env(name, default).split(",") if part.strip())


def read_secret(name: str, default: str | None = None) -> str:
    """Return `name`, or the content of the file that `name`_FILE names; an empty file counts as not set."""
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return env(name, default)
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name}_FILE: {path} must be UTF-8 text") from None
    if content or default is not None:
        return content or str(default)
    raise SettingsError(f"{name}_FILE: {path} is empty")


def read_url(name: str, default: str | None = None) -> str:
    """Return the URL in `name`, with the password from the file `name`_PASSWORD_FILE if that is set."""
    try:
        return _with_password(name, urlsplit(read_secret(name, default)))
    except SettingsError:
        raise
    except ValueError as error:  # the value is not repeated: it holds a password
        raise SettingsError(f"{name} is not a URL: {error}") from None


def read_server_url(name: str, form: str, *schemes: str) -> str:
    """Return the URL in `name`; raise SettingsError with its `form` without such a scheme and a host."""
    url = read_url(name)
    parts = urlsplit(url)
    try:
        complete = parts.scheme in schemes and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        complete = False
    if not complete:
        raise SettingsError(f"{name} must look like {form}")
    return url


def read_database_url(name: str) -> str:
    """Return the URL of a PostgreSQL database; if it names several servers, of the one that takes writes."""
    url = read_url(name)
    try:
        complete = urlsplit(url).scheme in {"postgresql", "postgres"} and for_writing(url)
    except ValueError:
        complete = False
    if not complete:
        form = "postgresql://user:password@host:port/database, several servers as host1:port,host2:port"
        raise SettingsError(f"{name} must look like {form}")
    return complete


def _with_password(name: str, parts: SplitResult) -> str:
    if os.environ.get(f"{name}_PASSWORD_FILE"):
        password = quote(read_secret(f"{name}_PASSWORD"), safe="")
        host = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{parts.username or ''}:{password}@{host}")
    if parts.password in DEMO_PASSWORDS and env_flag("REFUSE_DEMO_PASSWORDS"):
        raise SettingsError(f"{name} holds a demo password of .env: choose your own, see docs/operations.md")
    return urlunsplit(parts)


def without_password(url: str) -> str:
    """Return `url` without its password and parameters, for log lines; raise ValueError for no URL."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{','.join(server_addresses(parts))}{parts.path}"
