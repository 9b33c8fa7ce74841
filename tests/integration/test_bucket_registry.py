"""The registry's rules hold in a bucket as they do in a folder: the same tests, on a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlstack.registry.opening import read_store_settings
from mlstack.registry.store import ModelStore
from tests.harness.processes.object_store import ObjectStore, object_store, settings
from tests.unit.test_current_model import (  # noqa: F401
    test_a_promotion_and_a_rollback_are_noticed_once_each,
    test_there_is_no_model_until_one_is_promoted,
)
from tests.unit.test_publishing import (  # noqa: F401
    test_a_damaged_version_is_published_anew_under_another_number,
    test_a_failed_publication_leaves_no_trace,
    test_a_published_version_holds_what_people_and_servers_need,
    test_a_publisher_killed_halfway_leaves_the_versions_as_they_were,
    test_other_data_make_another_version,
    test_publishers_at_the_same_time_get_numbers_of_their_own,
    test_the_same_content_is_published_once,
)
from tests.unit.test_quality_gate import (  # noqa: F401
    test_a_current_version_of_other_features_or_damaged_is_no_rival,
    test_a_damaged_current_or_latest_version_closes_the_gate,
    test_a_model_worse_than_the_current_one_is_rejected,
    test_a_rejection_fails_every_time_until_a_person_chooses,
    test_a_rejection_with_nothing_served_says_so,
    test_a_rolled_back_version_does_not_come_back,
    test_only_an_undecided_version_is_pending,
    test_the_first_good_version_is_promoted,
)
from tests.unit.test_registry_store import (  # noqa: F401
    test_a_rejected_or_damaged_version_is_no_target_of_a_rollback,
    test_a_rejected_version_is_promoted_by_force_only,
    test_an_empty_volume_has_nothing,
    test_an_unknown_version_is_not_promoted,
    test_data_that_come_back_bring_their_version_back_to_the_gate,
    test_prune_keeps_the_newest_the_current_and_the_latest,
    test_rollback_goes_one_promoted_version_back_and_stays,
)
from tests.unit.test_serving_history import (  # noqa: F401
    test_a_rollback_serves_what_was_served_before_whatever_its_number,
    test_another_rollback_goes_back_further_and_forward_again_by_promotion,
    test_damaged_and_rejected_versions_are_passed_over,
    test_from_a_damaged_version_any_other_may_be_served,
    test_promoting_what_is_served_already_adds_nothing,
    test_the_history_is_only_ever_added_to,
    test_the_history_tells_when_by_whom_how_and_why,
    test_what_a_rollback_needs_is_not_pruned,
)


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    """The S3 server of this module."""
    with object_store() as running:
        yield running


@pytest.fixture
def store(server: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """An empty store in a bucket of this test only."""
    for name, value in settings(server.new_place(), server.endpoint, tmp_path / "models").items():
        monkeypatch.setenv(name, value)
    return read_store_settings().open()
