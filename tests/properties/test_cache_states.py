"""A cached answer equals an uncached one, for any sequence of requests, model switches and restarts.

The real service, with the real Redis, PostgreSQL and model volume; only the socket in front is left out.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import httpx
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import StoreRefused
from tests.harness.model_versions import line_table, promote, publish
from tests.harness.processes.inference import Stores
from tests.harness.processes.service_in_process import ServiceInProcess

# Few numbers, so that they come again; each in several spellings.
NUMBERS = st.sampled_from(
    ["5", "5.0", "5e0", "0", "-0.0", "-0", "0.1", "1e-1", "-7.25", "1e6", "19.999999999999996"]
)
Batch = list[tuple[list[str], bool, bool]]  # numbers, whether as nested rows, whether by the version's number
SLOPES = st.sampled_from([2.0, 3.0, -1.5])


class CacheMachine(RuleBasedStateMachine):
    """Sends requests, and in between changes everything that could make a cached answer wrong."""

    stores: Stores
    hits = 0

    def __init__(self) -> None:
        """A new model volume, an empty Redis."""
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self.models = ModelStore(Path(self._directory.name))
        with self.stores.connect_redis() as redis:
            redis.flushall()
        promote(self.models, publish(self.models, line_table(2.0)))
        self.service = ServiceInProcess(self.models.root, self.stores)
        self.loaded: dict[int, LoadedModel] = {}
        self.first: dict[tuple[int, str], bytes] = {}  # what was answered first, by version and rows
        self.asked: set[tuple[int, str]] = set()  # since the cache was emptied
        self.restarts = 0

    @rule(
        batch=st.lists(
            st.tuples(st.lists(NUMBERS, min_size=1, max_size=3), st.booleans(), st.booleans()),
            min_size=1,
            max_size=4,
        )
    )
    def ask_together(self, batch: Batch) -> None:
        """Ask some questions at the same moment, of the current model or of a version by its number."""
        self._ask(batch)

    def _ask(self, batch: Batch) -> None:
        bodies = []
        for numbers, nested, by_number in batch:
            values = ", ".join(f"[{number}]" for number in numbers) if nested else ", ".join(numbers)
            version = f', "model_version": {self.service.version}' if by_number else ""
            bodies.append(f'{{"values": [{values}]{version}}}')
        rows = [[float(number) + 0.0 for number in numbers] for numbers, _, _ in batch]
        for row, answer in zip(rows, self.service.ask(bodies), strict=True):
            self._check(row, answer, asked_twice=rows.count(row) > 1)

    @rule(slope=SLOPES)
    def retrain(self, slope: float) -> None:
        """Publish and promote; the same data give the same version again."""
        promote(self.models, publish(self.models, line_table(slope)))
        self.service.notice()

    @rule(data=st.data())
    def promote_by_hand(self, data: st.DataObject) -> None:
        """Serve any version from now on."""
        self.models.promote(data.draw(st.sampled_from(self.models.versions())))
        self.service.notice()

    @rule()
    def roll_back(self) -> None:
        """Serve the promoted version before this one, if there is one."""
        try:
            self.models.rollback()
        except StoreRefused:
            return
        self.service.notice()

    @rule()
    def empty_the_cache(self) -> None:
        """Empty the cache, after all answers were written."""
        self.service.write_the_cache()
        with self.stores.connect_redis() as redis:
            redis.flushall()
        self.asked.clear()

    @rule(length=st.integers(0, 40))
    def damage_the_cache(self, length: int) -> None:
        """Truncate every entry: a damaged one must not be used."""
        with self.stores.connect_redis() as redis:
            for key in redis.keys("prediction:*"):
                redis.set(key, redis.get(key)[:length])

    @precondition(lambda self: self.restarts < 2)
    @rule(kill=st.booleans(), ask_at_once=st.booleans())
    def restart_redis(self, kill: bool, ask_at_once: bool) -> None:
        """Its entries survive, its connections do not."""
        self.restarts += 1
        if kill:
            self.stores.redis.kill()
        self.stores.redis.stop()
        self.stores.redis.start()
        if not ask_at_once:
            self.service.await_redis()

    def teardown(self) -> None:
        """In every state: the second of two equal requests is a cache hit. Then close the service."""
        try:
            self.service.await_redis()
            for _ in range(2):
                self._ask([(["5"], False, False)])
        finally:
            self.service.close()
            self._directory.cleanup()

    def _check(self, row: list[float], answer: httpx.Response, *, asked_twice: bool) -> None:
        """Compare the answer with the model; of two equal concurrent requests the second may be a hit."""
        assert answer.status_code == 200, answer.text
        body = answer.json()
        version = body["model_version"]
        assert version == self.service.version
        question = (version, json.dumps(row))
        content = answer.content.partition(b'"predictions":')[2].partition(b',"model_version"')[0]
        assert content == self.first.setdefault(question, content)
        expected = self._model(version).predict(np.array(row).reshape(-1, 1))
        assert body["predictions"] == expected.values.tolist()
        assert body["intervals"] == np.column_stack([expected.lower, expected.upper]).tolist()
        assert body["confidence"] == expected.confidence.tolist()
        assert not body["cached"] or asked_twice or question in self.asked
        self.asked.add(question)
        type(self).hits += body["cached"]

    def _model(self, version: int) -> LoadedModel:
        """Return the version, loaded from the volume by the test itself."""
        if version not in self.loaded:
            self.loaded[version] = load_model(self.models.path(version))
        return self.loaded[version]


def test_a_cached_answer_equals_an_uncached_one(real_stores: Stores) -> None:
    """Byte for byte, and from the version that the answer names."""

    class Machine(CacheMachine):
        stores = real_stores

    bounds = settings(
        max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Machine, settings=bounds)
    assert Machine.hits > 0
