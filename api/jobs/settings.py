"""Settings of asynchronous predictions, for the api and the worker."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import env_int, read_server_url

MAX_ATTEMPTS = 5  # attempts before a job fails, and deliveries before a message is dead-lettered


@dataclass(frozen=True, slots=True)
class JobSettings:
    """The broker's address, and times."""

    broker_url: Secret[str]  # empty: there is none
    lease_seconds: int  # a job in progress for longer may be taken over by another worker
    limit: int  # jobs that may wait for workers; more are refused

    @classmethod
    def from_env(cls) -> JobSettings:
        """Read every setting; raise SettingsError with one readable line."""
        return cls(
            broker_url=Secret("AMQP_URL", _read_broker_url),
            lease_seconds=env_int("JOBS_LEASE_SECONDS", 15, minimum=1),
            limit=env_int("JOBS_LIMIT", 10_000, minimum=1),
        )


def _read_broker_url() -> str:
    if not (os.environ.get("AMQP_URL") or os.environ.get("AMQP_URL_FILE")):
        return ""
    return read_server_url("AMQP_URL", "amqp://user:password@host:port/", "amqp", "amqps")
