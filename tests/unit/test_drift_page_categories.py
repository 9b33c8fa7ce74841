"""The drift monitor's page and metrics for columns of categories."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np

from mlstack.drift.categories import CategoryReference, category_drift
from mlstack.drift.check import DriftReport
from mlstack.drift.loop import MonitoringLoop
from mlstack.drift.server import create_app
from mlstack.drift.statistics import Reference, column_drift
from mlstack.live.monitor import LiveErrors
from mlstack.registry.columns import UNSEEN, Column
from mlstack.registry.store import ModelStore
from mlstack.runtime.secret_files import Secret

_REPORT = DriftReport(
    status="drifted",
    checked_at="2026-01-01T00:00:00+00:00",
    model_version=3,
    window_rows=300,
    training_rows=100,
    extrapolated_share=0.25,
)
_NUMBERS = column_drift(Reference.of("x", np.arange(80.0)), np.arange(0.0, 80, 0.3), columns=2)


def _get(tmp_path: Path, report: DriftReport, path: str) -> str:
    """Return what the monitor answers after this report, in one line."""
    loop = MonitoringLoop(lambda: report, interval=30)
    loop.report = report
    store = ModelStore(tmp_path)
    live = LiveErrors(store, Secret("DATABASE_URL", str), 24)
    answer = create_app(loop, store, live).test_client().get(path)
    return re.sub(r"\s+", " ", answer.text)


def test_categories_are_rows_of_a_table_with_their_shares(tmp_path: Path) -> None:
    column = Column(name="city", kind="category", categories=("<b>Huế</b>", "Hà Nội"), nullable=True)
    reference = CategoryReference.of(column, np.repeat([0.0, 1.0, np.nan], [60, 30, 10]))
    found = category_drift(reference, np.repeat([0.0, 1.0, UNSEEN], [50, 25, 25]), columns=1)
    report = msgspec.structs.replace(_REPORT, columns=(found,), skipped_requests=2)

    page = _get(tmp_path, report, "/")

    shares = [("&lt;b&gt;Huế&lt;/b&gt;", "60.0%", "50.0%"), ("Hà Nội", "30.0%", "25.0%")]
    shares += [("(unseen)", "0.0%", "25.0%"), ("(NULL)", "10.0%", "0.0%")]
    assert re.findall(r'class="label">(.*?)</td><td>(.*?)</td><td>(.*?)</td>', page) == shares
    assert '<h2 class="drifted">city: drifted</h2>' in page
    assert f"<th>chi-squared</th><td>{found.chi_squared:.4g}</td>" in page
    assert "2 logged requests are left out" in page


def test_of_many_categories_the_most_frequent_are_shown(tmp_path: Path) -> None:
    column = Column(name="code", kind="category", categories=tuple(f"c{code:02}" for code in range(30)))
    found = category_drift(CategoryReference.of(column, np.arange(30.0)), np.full(300, 29.0), columns=1)
    report = msgspec.structs.replace(_REPORT, columns=(found,))

    page = _get(tmp_path, report, "/")

    assert page.count('class="label"') == 20
    assert page.index("c29") < page.index("c00")
    assert "and 11 more" in page


def test_a_column_has_the_metrics_of_its_own_test(tmp_path: Path) -> None:
    column = Column(name="city", kind="category", categories=("a", "b"))
    found = category_drift(CategoryReference.of(column, np.repeat([0.0, 1.0], 50)), np.zeros(300), columns=2)
    report = msgspec.structs.replace(_REPORT, columns=(_NUMBERS, found))

    metrics = _get(tmp_path, report, "/metrics")

    assert f'drift_chi_squared{{column="city"}} {found.chi_squared}' in metrics
    assert f'drift_chi_squared_p_value{{column="city"}} {found.chi_squared_p_value}' in metrics
    assert f'drift_ks_statistic{{column="x"}} {_NUMBERS.ks}' in metrics
    assert 'drift_ks_statistic{column="city"}' not in metrics
    assert 'drift_chi_squared{column="x"}' not in metrics
    assert 'drift_detected{column="city"} 1.0' in metrics
