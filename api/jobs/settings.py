"""Settings of asynchronous predictions, for the api and the worker."""

from __future__ import annotations

from dataclasses import dataclass

from mlstack.runtime.settings import env_int, read_url

MAX_ATTEMPTS = 5  # attempts before a job fails, and deliveries before a message is dead-lettered


@dataclass(frozen=True, slots=True)
class JobSettings:
    """The broker's address, and times."""

    broker_url: str  # empty: no broker
    lease_seconds: int  # a job in progress for longer may be taken over by another worker

    @classmethod
    def from_env(cls) -> JobSettings:
        """Read every setting; raise SettingsError with one readable line."""
        return cls(
            broker_url=read_url("AMQP_URL", ""),
            lease_seconds=env_int("JOBS_LEASE_SECONDS", 15, minimum=1),
        )
