"""Settings of the inference service, read once from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from api.redis_url import read_redis_url
from mlstack.registry.opening import StoreSettings, read_store_settings
from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import (
    DEMO_PASSWORDS,
    SettingsError,
    env,
    env_flag,
    env_float,
    env_int,
    read_database_url,
    read_secret,
)
from mlstack.web.api_keys import ApiKeys
from mlstack.web.callers import Callers, read_callers


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Services beside this one that may run: a URL for this process, an address for a browser; or empty."""

    monitor_url: str
    prometheus_url: str
    prometheus_address: str
    grafana_url: str
    grafana_address: str

    @classmethod
    def from_env(cls) -> Neighbours:
        """Read every URL; raise SettingsError with one readable line."""
        return cls(
            monitor_url=_read_web_url("MONITOR_URL"),
            prometheus_url=_read_web_url("PROMETHEUS_URL"),
            prometheus_address=_read_web_url("PROMETHEUS_ADDRESS"),
            grafana_url=_read_web_url("GRAFANA_URL"),
            grafana_address=_read_web_url("GRAFANA_ADDRESS"),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds, sizes in bytes unless the name says otherwise."""

    database_url: Secret[str]
    redis_url: Secret[str]
    neighbours: Neighbours
    keys: ApiKeys
    sealing_keys: tuple[str, ...]  # of what lies in Redis; the first seals, all are accepted
    models: StoreSettings
    events_dir: Path  # where servers tell each other that a canary was taken back
    callers: Callers  # by what a canary knows them
    shadow_share: float  # of the requests
    max_model_bytes: int  # of a version's file, packed and unpacked, and of the memory that loading it takes
    host: str
    port: int
    log_level: str
    max_rows: int  # in one request
    max_body_bytes: int
    max_pending: int  # requests waiting for an answer; more are refused
    max_pending_rows: int
    max_pending_bytes: int  # that all requests may hold: their bodies, rows and answers
    max_wait: float  # for a slow model; a request that would wait longer is refused
    cache_ttl: int
    queue_limit: int  # predictions that may wait in Redis while PostgreSQL is down
    queue_replicas: int  # of Redis, that must have them as well
    model_max_age_days: int  # of the served version, before an alert tells of it; 0: no matter
    retention_days: int  # 0: no matter; the database itself knows how long rows are kept
    cache_timeout: float
    queue_timeout: float
    insert_timeout: float  # after it a batch goes to the queue instead
    drain_timeout: float

    @classmethod
    def from_env(cls) -> Settings:
        """Read every setting; raise SettingsError with one readable line."""
        return cls(
            database_url=Secret("DATABASE_URL", partial(read_database_url, "DATABASE_URL")),
            redis_url=Secret("REDIS_URL", partial(read_redis_url, "REDIS_URL")),
            neighbours=Neighbours.from_env(),
            keys=ApiKeys(),
            sealing_keys=_read_sealing_keys(),
            models=read_store_settings(),
            events_dir=Path(env("MODEL_EVENTS_DIR", "/events")),
            callers=read_callers(),
            shadow_share=_read_share(),
            max_model_bytes=env_int("MODEL_MAX_BYTES", 256 << 20, minimum=1_048_576),
            host=env("HOST", "0.0.0.0"),  # noqa: S104 a container's own address; only nginx is published
            port=env_int("PORT", 8000, minimum=1),
            log_level=env("LOG_LEVEL", "INFO"),
            max_rows=env_int("MAX_ROWS", 10_000, minimum=1),
            max_body_bytes=env_int("MAX_BODY_BYTES", 1 << 20, minimum=64),
            max_pending=env_int("MAX_PENDING", 1024, minimum=1),
            max_pending_rows=env_int("MAX_PENDING_ROWS", 100_000, minimum=1),
            max_pending_bytes=env_int("MAX_PENDING_BYTES", 96 << 20, minimum=1),
            max_wait=env_float("MAX_WAIT_SECONDS", 5.0),
            cache_ttl=env_int("CACHE_TTL_SECONDS", 3600, minimum=1),
            queue_limit=env_int("QUEUE_LIMIT", 100_000),
            queue_replicas=env_int("QUEUE_REPLICAS", 0),
            model_max_age_days=env_int("MODEL_MAX_AGE_DAYS", 90),
            retention_days=env_int("RETENTION_DAYS", 0),
            # Together below a second: a client is told within one that no store answers
            cache_timeout=env_float("CACHE_TIMEOUT_SECONDS", 0.1),
            queue_timeout=env_float("QUEUE_TIMEOUT_SECONDS", 0.25),
            insert_timeout=env_float("INSERT_TIMEOUT_SECONDS", 0.35),
            drain_timeout=env_float("DRAIN_TIMEOUT_SECONDS", 30.0),
        )


def _read_web_url(name: str) -> str:
    """Return the URL without a slash at its end, or nothing; a link may lead there, so it is of the web."""
    url = env(name, "").rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise SettingsError(f"{name} must look like http://localhost:9090, not {url!r}")
    return url


def _read_share() -> float:
    share = env_float("SHADOW_SHARE", 1.0)
    if share > 1:
        raise SettingsError(f"SHADOW_SHARE must be a number from 0 to 1, not {share:g}")
    return share


def _read_sealing_keys() -> tuple[str, ...]:
    """Return the keys in SEALING_KEY, one a line or separated by commas; without any the log's URL."""
    text = read_secret("SEALING_KEY", "")
    keys = tuple(key.strip() for key in text.replace(",", "\n").splitlines() if key.strip())
    if DEMO_PASSWORDS.intersection(keys) and env_flag("REFUSE_DEMO_PASSWORDS"):
        raise SettingsError("SEALING_KEY is the demo key of .env: choose your own, see docs/operations.md")
    return keys or (read_database_url("DATABASE_URL"),)
