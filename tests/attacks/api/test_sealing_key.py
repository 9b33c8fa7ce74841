"""The key that seals what waits in Redis can be replaced while rows wait."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import eventually


def test_rows_that_wait_survive_a_new_key(model_dir: Path, real_stores: Stores, tmp_path: Path) -> None:
    """The new key is put before the old one, so that the seals of both are accepted."""
    with ExitStack() as stack:
        with stopped(real_stores.postgres):
            with inference(model_dir, tmp_path / "first", real_stores, SEALING_KEY="old-key") as first:
                ids = [first.predict({"values": [number]}).json()["id"] for number in range(5)]
            replaced = inference(model_dir, tmp_path / "second", real_stores, SEALING_KEY="new-key,old-key")
            second = stack.enter_context(replaced)
            ids += [second.predict({"values": [number]}).json()["id"] for number in range(5)]
        assert eventually(lambda: real_stores.queued() == 0, 30)
        set_aside = second.metric("prediction_log_set_aside_total")

    assert set_aside == 0
    assert set(real_stores.times_logged(ids).values()) == {1}
