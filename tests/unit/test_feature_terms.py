"""FEATURE_TERMS: what is a term, and the one line for what is none."""

from __future__ import annotations

import pytest

from mlstack.features.terms import Term, parse_term, read_features
from mlstack.runtime.settings import SettingsError


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("x=x", Term("x", "x")),
        ("square=x^2", Term("square", "x", power=2)),
        ("cube = x^3", Term("cube", "x", power=3)),
        ("area=width*height", Term("area", "width", right="height")),
        ("x_standardised=z(x)", Term("x_standardised", "x", function="z")),
        ("year=year(day)", Term("year", "day", function="year")),
        ("m=month(day)", Term("m", "day", function="month")),
        ("w=weekday(day)", Term("w", "day", function="weekday")),
        ("age=days(built)", Term("age", "built", function="days")),
        ("month=month", Term("month", "month")),
    ],
)
def test_a_term_is_read_and_written_alike(text: str, term: Term) -> None:
    assert parse_term(text) == term
    assert parse_term(f"{term.name}={term.text}") == term


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "=x",
        "a=x^4",
        "a=x+y",
        "a=log(x)",
        "a=x; DROP TABLE x",
        'a="x"',
        "a=z(x",
        "a=hour(x)",
        "a=year(x)^2",
        "a=year()",
    ],
)
def test_what_is_no_term_is_one_readable_line(text: str) -> None:
    with pytest.raises(SettingsError, match="FEATURE_TERMS") as caught:
        parse_term(text)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"FEATURE_TERMS": "a=x,a=x^2"}, "FEATURE_TERMS"),
        ({"FEATURE_TERMS": "y=x^2"}, "FEATURE_TERMS"),
        ({"FEATURE_TABLE": "linear_data"}, "FEATURE_TABLE"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    settings: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=named):
        read_features()
