"""Opens the model store that MODEL_STORE names: a folder, or a prefix of a bucket, mirrored in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlstack.registry.bucket.address import SCHEME, BucketAddress, read_bucket_address
from mlstack.registry.bucket.remote_store import RemoteModelStore
from mlstack.registry.store import ModelStore
from mlstack.runtime.settings import SettingsError, env, env_int


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the versions of the model are."""

    folder: Path  # the store itself, or where it is mirrored
    bucket: BucketAddress | None
    cache_bytes: int  # of large files in the mirror

    def open(self) -> ModelStore:
        """Return the store; nothing is read yet."""
        if self.bucket is None:
            return ModelStore(self.folder)
        return RemoteModelStore(self.bucket, self.folder, self.cache_bytes)


def read_store_settings() -> StoreSettings:
    """Read the settings; raise SettingsError with one line that names the variable."""
    folder = env("MODEL_DIR", "/models")
    place = env("MODEL_STORE", folder)
    if place.startswith(SCHEME):
        bucket, place = read_bucket_address(place), folder
    elif "://" in place:
        raise SettingsError(f"MODEL_STORE must look like /models or s3://bucket/prefix, not {place!r}")
    else:
        bucket = None
    return StoreSettings(Path(place), bucket, env_int("MODEL_CACHE_BYTES", 1 << 30, minimum=1_048_576))


def open_model_store() -> ModelStore:
    """Return the store as it is now, for a step or a command; raise a Refusal if it cannot be reached."""
    store = read_store_settings().open()
    store.refresh()
    return store
