"""The benchmark of an earlier commit's api: it serves a model that the steps of that commit made."""

from __future__ import annotations

import numpy as np
import pytest

from bench.earlier import files_of, train_with
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from tests.harness.processes.store_process import PostgresServer


def test_its_steps_make_a_model_volume_in_which_a_version_is_current(postgres: PostgresServer) -> None:
    try:
        with files_of("HEAD") as checkout:
            store = ModelStore(train_with(checkout, postgres))

            assert store.current() == 1
            assert load_model(store.path(1)).predict(np.array([[5.0]])).values == pytest.approx([11], abs=0.1)
    finally:
        postgres.execute("DROP DATABASE IF EXISTS earlier WITH (FORCE)")


def test_what_is_no_commit_is_refused() -> None:
    with pytest.raises(RuntimeError, match="needs a commit"), files_of("no-such-commit"):
        pass
