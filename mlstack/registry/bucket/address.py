"""Where the models' bucket is, by which keys, and what its errors mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import SettingsError, env, read_secret

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Store

SCHEME = "s3://"
_FOLLOWED = timedelta(seconds=30)  # after which changed keys are read from their files


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """A prefix of a bucket on a server; without an endpoint it is AWS's, without keys the machine's role."""

    url: str  # s3://bucket/prefix
    endpoint: str = ""
    region: str = "us-east-1"
    keys: tuple[Secret[str], Secret[str]] | None = field(default=None, repr=False)

    def connect(self, options: ClientConfig, retries: int) -> S3Store:
        """Return a client, which connects at its first request."""
        from obstore.store import S3Store  # noqa: PLC0415 - an optional package

        where = urlsplit(self.url)
        given: dict[str, Any] = {"endpoint": self.endpoint} if self.endpoint else {}
        if self.keys:
            given["credential_provider"] = self._present_keys
        return S3Store(
            where.netloc,
            prefix=where.path.strip("/") or None,
            region=self.region,
            client_options={**options, "allow_http": self.endpoint.startswith("http://")},
            retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=30)},
            **given,
        )

    def reason(self, error: Exception) -> str:
        """Return what went wrong in one line, and what to do."""
        from obstore import exceptions  # noqa: PLC0415

        said = str(error).partition("\n")[0].strip()
        if "NoSuchBucket" in str(error):
            return f"there is no such bucket: make it first ({said})"
        for kind, advice in (
            (
                (exceptions.PermissionDeniedError, PermissionError),
                "check MODEL_STORE_ACCESS_KEY and its permissions",
            ),
            (exceptions.UnauthenticatedError, "check MODEL_STORE_ACCESS_KEY and MODEL_STORE_SECRET_KEY"),
        ):
            if isinstance(error, kind):
                return f"{advice} ({said})"
        return f"cannot be reached, or refuses: check MODEL_STORE_ENDPOINT and MODEL_STORE_REGION ({said})"

    def _present_keys(self) -> dict[str, Any]:
        """Return the keys as they are now; the client asks again when they expire."""
        assert self.keys
        for secret in self.keys:
            secret.look(confirmed=True)
        access, secret_key = (secret.value for secret in self.keys)
        expires = datetime.now(UTC) + _FOLLOWED
        return {
            "access_key_id": access,
            "secret_access_key": secret_key,
            "token": None,
            "expires_at": expires,
        }


def read_bucket_address(url: str) -> BucketAddress:
    """Return the address in MODEL_STORE with the settings beside it; raise SettingsError."""
    try:
        import obstore  # noqa: F401, PLC0415
    except ImportError:
        raise SettingsError(
            "MODEL_STORE is an object store, and this image was built without its client: build it with "
            "docker-compose.object-store.yaml"
        ) from None
    where = urlsplit(url)
    if not where.netloc or where.query or where.fragment or "@" in where.netloc:
        raise SettingsError(f"MODEL_STORE must look like /models or s3://bucket/prefix, not {url!r}")
    endpoint = env("MODEL_STORE_ENDPOINT", "").rstrip("/")
    if endpoint and (urlsplit(endpoint).scheme not in {"http", "https"} or not urlsplit(endpoint).hostname):
        raise SettingsError(f"MODEL_STORE_ENDPOINT must look like https://host:port, not {endpoint!r}")
    given = [read_secret("MODEL_STORE_ACCESS_KEY", ""), read_secret("MODEL_STORE_SECRET_KEY", "")]
    if any(given) and not all(given):
        raise SettingsError("MODEL_STORE_ACCESS_KEY and MODEL_STORE_SECRET_KEY must both be set, or neither")
    keys = (_key("MODEL_STORE_ACCESS_KEY"), _key("MODEL_STORE_SECRET_KEY")) if all(given) else None
    region = env("MODEL_STORE_REGION", "us-east-1")
    return BucketAddress(url.rstrip("/"), endpoint, region, keys)


def _key(name: str) -> Secret[str]:
    """Return a key that is there and is followed; one that is emptied later stays as it was."""
    return Secret(name, partial(read_secret, name))
