"""The drift monitor's page says what the last check found, and shows no text of others as markup."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from flask.testing import FlaskClient

from mlstack.drift.check import DriftReport
from mlstack.drift.loop import MonitoringLoop
from mlstack.drift.server import create_app
from mlstack.drift.statistics import Reference, column_drift
from mlstack.live.monitor import LiveErrors
from mlstack.registry.store import ModelStore
from mlstack.runtime.secret_files import Secret

_RANDOM = np.random.default_rng(5)
_COLUMNS = tuple(
    column_drift(Reference.of(name, _RANDOM.normal(size=80)), _RANDOM.normal(shift, size=300), columns=2)
    for name, shift in (("x", 0.0), ("prediction", 2.0))
)
REPORT = DriftReport(
    status="drifted",
    checked_at="2026-01-01T00:00:00+00:00",
    model_version=3,
    window_rows=300,
    training_rows=80,
    extrapolated_share=0.125,
    columns=_COLUMNS,
)


@pytest.fixture
def loop() -> MonitoringLoop:
    """A loop whose last check found REPORT."""
    loop = MonitoringLoop(lambda: REPORT, interval=30)
    loop.report = REPORT
    return loop


@pytest.fixture
def client(loop: MonitoringLoop, tmp_path: Path) -> FlaskClient:
    directory = tmp_path / "versions" / "3"
    directory.mkdir(parents=True)
    (directory / "report.html").write_text("the report")
    (directory / "manifest.json").write_text("{}")
    store = ModelStore(tmp_path)
    return create_app(loop, store, LiveErrors(store, Secret("DATABASE_URL", str), 24)).test_client()


def _page(client: FlaskClient) -> str:
    return re.sub(r"\s+", " ", client.get("/").text)


def test_the_page_shows_every_number_of_a_report(client: FlaskClient) -> None:
    page = _page(client)

    assert "<h1>Drift: drifted</h1>" in page
    assert (
        "The last 300 logged rows that version 3 answered, compared with the 80 rows of its training table"
        in page
    )
    assert "12.5% of the rows lie outside" in page
    assert "<h2>x: stable</h2>" in page
    assert '<h2 class="drifted">prediction: drifted</h2>' in page
    for column in _COLUMNS:
        assert f"{column.psi:.4g} (limit {column.psi_limit:.3g})" in page
        assert f"{column.ks:.4g}" in page
        assert f"{column.ks_p_value:.3g}" in page


def test_every_bin_is_a_pair_of_bars(client: FlaskClient) -> None:
    bars = re.findall(
        r'<rect x="(\d+)" y="(\d+)" width="14" height="(\d+)"[^>]*><title>([\d.]+)%', _page(client)
    )

    shares = [
        share
        for column in _COLUMNS
        for pair in zip(column.expected, column.actual, strict=True)
        for share in pair
    ]
    assert [float(share) for *_, share in bars] == pytest.approx([share * 100 for share in shares], abs=0.051)
    assert all(int(height) >= 1 and int(y) + int(height) == 120 for _, y, height, _ in bars)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"status": "no model"}, "No model is current"),
        (
            {"status": "insufficient data", "extrapolated_share": None, "columns": ()},
            "At least 200 logged rows",
        ),
        ({"training_data_unchanged": False}, "The training table has changed since"),
    ],
)
def test_the_page_says_what_is_missing(
    client: FlaskClient, loop: MonitoringLoop, changes: dict[str, object], text: str
) -> None:
    loop.report = msgspec.structs.replace(REPORT, **changes)

    assert text in _page(client)


def test_before_the_first_check_the_page_says_so(client: FlaskClient, loop: MonitoringLoop) -> None:
    loop.report = None

    assert "No check has finished yet." in _page(client)
    assert client.get("/health").json == {"responsive": True, "drift": "not told yet", "failure": None}


def test_names_and_messages_are_text_and_never_markup(client: FlaskClient, loop: MonitoringLoop) -> None:
    column = msgspec.structs.replace(_COLUMNS[0], name='<script>alert("x")</script>')
    loop.report = msgspec.structs.replace(REPORT, columns=(column,))
    loop.failure = "<img src=x>"

    page = _page(client)

    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;: stable" in page
    assert "The last check failed: &lt;img src=x&gt;" in page


def test_only_reports_of_versions_can_be_read(client: FlaskClient) -> None:
    assert '<a href="/versions/3/report.html">' in _page(client)
    with client.get("/versions/3/report.html") as report:
        assert report.get_data(as_text=True) == "the report"
    for path in (
        "3/report.svg",
        "3/manifest.json",
        "4/report.html",
        "../3/report.html",
        f"{'9' * 5000}/report.html",
    ):
        answer = client.get(f"/versions/{path}")
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), path
        assert "there is nothing at this path" in answer.text


def test_another_method_is_a_problem_that_names_the_allowed_ones(client: FlaskClient) -> None:
    answer = client.post("/health")

    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert "GET" in answer.headers["Allow"]
