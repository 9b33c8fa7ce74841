"""Settings of asynchronous predictions, for the api and the worker."""

from __future__ import annotations

from dataclasses import dataclass

from mlstack.runtime.settings import env_int, read_url

MAX_ATTEMPTS = 5  # starts of a job before it is given up, and deliveries of a message before it is dead


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Where the broker is, and how long things may take."""

    broker_url: str  # empty: there is none
    lease_seconds: int  # a job in progress for longer may be taken over by another worker
    limit: int  # jobs that may wait for workers; more are refused
    retention_hours: int  # of finished jobs; an idempotency key is known for as long

    @classmethod
    def from_env(cls) -> JobSettings:
        """Read every setting; raise SettingsError with one readable line."""
        return cls(
            broker_url=read_url("AMQP_URL", ""),
            lease_seconds=env_int("JOBS_LEASE_SECONDS", 15, minimum=1),
            limit=env_int("JOBS_LIMIT", 10_000, minimum=1),
            retention_hours=env_int("JOBS_RETENTION_HOURS", 168, minimum=1),
        )
