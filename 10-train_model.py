"""Step 10: train the model on the table and publish it as a version, if it would be a new one."""

from __future__ import annotations

import logging

from mlstack.data.changed_kinds import refuse_changed_kinds
from mlstack.data.database import connected
from mlstack.registry.opening import open_model_store
from mlstack.runtime.settings import env, read_url
from mlstack.runtime.step import run_step
from mlstack.training.config import content_digest, read_training_config
from mlstack.training.input import read_training_input
from mlstack.training.streamed import train_on
from mlstack.training.train import publish

logger = logging.getLogger(__name__)


def main() -> None:
    """Read the table; train and publish, unless a version with the same content digest exists."""
    config, store = read_training_config(), open_model_store()
    name = env("DATA_TABLE", "linear_data")
    with connected(read_url("DATABASE_URL"), snapshot=True) as connection:
        source = read_training_input(connection, name, config)
    refuse_changed_kinds(store, name, source.columns)  # step 05 has not seen a table that step 15 derived
    version = store.find(content_digest(source.digest, config))
    if version is None:
        version = publish(store, *train_on(source, config, name))
    else:
        logger.info("nothing to do: this version is up to date", extra={"model_version": version})
    store.set_latest(version)


if __name__ == "__main__":
    run_step("model-train", main)
