"""Settings of the Flask server, read once from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mlstack.registry.opening import StoreSettings, read_store_settings
from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import env, env_int, read_database_url
from mlstack.web.api_keys import ApiKeys
from mlstack.web.callers import Callers, read_callers


@dataclass(frozen=True)
class ServingSettings:
    """Settings of one replica; sizes in bytes, times in seconds."""

    port: int
    threads: int
    max_pending: int  # requests that may wait for a thread; more are refused
    graceful_timeout: int  # for requests in progress at SIGTERM
    receive_timeout: int  # without a byte in the middle of a request
    max_body_bytes: int
    max_rows: int
    models: StoreSettings
    events_dir: Path  # where servers tell each other that a canary was taken back
    callers: Callers  # by what a canary knows them
    max_model_bytes: int  # of a version's file, packed and unpacked, and of the memory that loading it takes
    database_url: Secret[str]
    keys: ApiKeys


def read_serving_settings() -> ServingSettings:
    """Read every setting; raise SettingsError with one line that names the variable."""
    return ServingSettings(
        port=env_int("PORT", 5000, minimum=1),
        threads=env_int("SERVE_THREADS", 8, minimum=1),
        max_pending=env_int("SERVE_MAX_PENDING", 512, minimum=1),
        graceful_timeout=env_int("GRACEFUL_TIMEOUT", 10, minimum=1),
        receive_timeout=env_int("RECEIVE_TIMEOUT", 10, minimum=1),
        max_body_bytes=env_int("MAX_BODY_BYTES", 1024 * 1024, minimum=1),
        max_rows=env_int("MAX_ROWS", 10_000, minimum=1),
        models=read_store_settings(),
        events_dir=Path(env("MODEL_EVENTS_DIR", "/events")),
        callers=read_callers(),
        max_model_bytes=env_int("MODEL_MAX_BYTES", 256 << 20, minimum=1_048_576),
        database_url=Secret("DATABASE_URL", partial(read_database_url, "DATABASE_URL")),
        keys=ApiKeys(),
    )
