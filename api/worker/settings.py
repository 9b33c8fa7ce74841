"""Settings of the worker, read once from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from api.jobs.settings import JobSettings
from mlstack.registry.opening import StoreSettings, read_store_settings
from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import SettingsError, env, env_int, read_database_url


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Settings of one worker; times are in seconds."""

    jobs: JobSettings
    database_url: Secret[str]
    models: StoreSettings
    max_model_bytes: int  # as for the api
    host: str
    port: int  # of /health and /metrics
    max_rows: int  # in one job, as for the api
    concurrency: int  # jobs in progress at once; as many more messages are prefetched

    @classmethod
    def from_env(cls) -> WorkerSettings:
        """Read every setting; raise SettingsError with one readable line."""
        jobs = JobSettings.from_env()
        if not jobs.broker_url.value:
            raise SettingsError("AMQP_URL is not set: a worker without RabbitMQ has nothing to do")
        return cls(
            jobs=jobs,
            database_url=Secret("DATABASE_URL", partial(read_database_url, "DATABASE_URL")),
            models=read_store_settings(),
            max_model_bytes=env_int("MODEL_MAX_BYTES", 256 << 20, minimum=1_048_576),
            host=env("HOST", "0.0.0.0"),  # noqa: S104 a container's own address; nothing is published
            port=env_int("PORT", 8001, minimum=1),
            max_rows=env_int("MAX_ROWS", 10_000, minimum=1),
            concurrency=env_int("WORKER_CONCURRENCY", 4, minimum=1),
        )
