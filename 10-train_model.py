"""Step 10: train the model on the table and publish it as a version, if it would be a new one."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.database import connected
from pipeline.dataset import data_digest, read_table
from pipeline.model_store import ModelStore
from pipeline.recipe import content_digest, read_recipe
from pipeline.settings import env, read_url
from pipeline.step import run_step
from pipeline.training import train_and_publish

log = logging.getLogger("10-train_model")


def main() -> None:
    """Read, train, publish; or find that this very model has been published before."""
    recipe, store = read_recipe(), ModelStore(Path(env("MODEL_DIR", "/models")))
    name, columns = env("DATA_TABLE", "linear_data"), (*recipe.features, recipe.target)
    with connected(read_url("DATABASE_URL")) as connection:
        table = read_table(connection, name, columns)
    digest = data_digest(table, name, columns)
    version = store.find(content_digest(digest, recipe))
    if version is None:
        version = train_and_publish(store, table, recipe, digest, name)
    else:
        log.info("nothing to do: this version is up to date", extra={"model_version": version})
    store.nominate(version)


if __name__ == "__main__":
    run_step("model-train", main)
