"""Bad rows of a model of mixed columns, on both servers: the problem names the column and the row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlstack.registry.store import ModelStore
from tests.harness.bad_inputs import BAD_INPUTS, BadInput
from tests.harness.bad_rows import BAD_ROWS
from tests.harness.mixed_models import HOUSE_ROW, publish_houses
from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.serving import ServingProcess, serving


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("bad rows") / "models"
    publish_houses(ModelStore(root))
    return root


@pytest.fixture(scope="module")
def api(model_dir: Path, real_stores: Stores) -> Iterator[ServingProcess]:
    with inference(model_dir, model_dir.parent / "api.log", real_stores) as process:
        yield process


@pytest.fixture(scope="module")
def flask(model_dir: Path) -> Iterator[ServingProcess]:
    with serving(model_dir, model_dir.parent / "flask.log") as process:
        yield process


@pytest.fixture(params=["api", "flask"])
def server(request: pytest.FixtureRequest) -> ServingProcess:
    """Each server in turn."""
    found: ServingProcess = request.getfixturevalue(request.param)
    return found


def problem_of(server: ServingProcess, bad: BadInput) -> tuple[int, str]:
    """Return the status and the detail that a bad body gets."""
    headers = {} if bad.content_type is None else {"content-type": bad.content_type}
    answer = server.client.post("/predict", content=bad.body, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert len(answer.content) < 2000
    return answer.status_code, str(answer.json()["detail"]).lower()


@pytest.mark.parametrize("bad", BAD_ROWS, ids=lambda bad: bad.name)
def test_a_bad_row_is_refused_by_its_column(server: ServingProcess, bad: BadInput) -> None:
    status, detail = problem_of(server, bad)

    assert (status, bad.expects in detail) == (bad.status, True), detail


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=lambda bad: bad.name)
def test_what_is_bad_for_plain_numbers_is_bad_here(server: ServingProcess, bad: BadInput) -> None:
    """With the status that it gets everywhere."""
    assert problem_of(server, bad)[0] == bad.status


def test_brackets_in_texts_count_as_text(server: ServingProcess) -> None:
    """What a parser may cost is bounded by counting lists and objects; these are neither."""
    rows = [HOUSE_ROW | {"city": '[old] {"town"} [[[' + "\\"}] * 5_000

    answer = server.predict({"instances": rows})

    assert answer.status_code == 200, answer.text
    assert answer.json()["unseen"] == [["city"]] * 5_000


def test_the_servers_are_unharmed_afterwards(server: ServingProcess) -> None:
    assert server.predict({"instances": [HOUSE_ROW]}).status_code == 200
    assert not [line for line in server.log_lines() if line["level"] == "error"]


def test_no_refused_row_is_logged(api: ServingProcess, real_stores: Stores) -> None:
    answered = api.metric('http_requests_total{method="POST",route="/predict",status="200"}')

    assert real_stores.sql("SELECT count(*) FROM predictions") == [(answered,)]
