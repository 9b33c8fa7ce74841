"""An answer in the picture of a model of several features, and of a classifier; names that try to be HTML."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from mlstack.registry.picture import Picture, write_picture
from mlstack.registry.store import ModelStore
from mlstack.training.config import TrainingConfig
from tests.harness.mixed_models import publish_flowers, publish_houses
from tests.harness.model_versions import line_table, promote, publish
from tests.harness.processes.inference import Stores, inference

HOSTILE = "<img src=x onerror=document.title=1><script>document.title=2</script>"
CLASSES = ("iris", "lily", "rose")
COUNTS = [[9, 1, 0], [2, 8, 1], [0, 3, 6]]


def height_of(page: Page, value: float) -> float:
    """Return where the picture's vertical axis has a value, in its units; from the labels of the axis."""
    labels = page.locator("#picture-drawing svg text[text-anchor=end]").evaluate_all(
        "texts => texts.map(text => [Number(text.textContent), Number(text.getAttribute('y')) - 4])"
    )
    (low, bottom), (high, top) = labels[0], labels[-1]
    return float(bottom + (value - low) / (high - low) * (top - bottom))


def drawn(page: Page, selector: str, attribute: str) -> float:
    return float(page.locator(f"#picture-drawing {selector}").get_attribute(attribute) or "nan")


def test_of_several_features_the_answer_is_a_line_across(
    page: Page, real_stores: Stores, tmp_path: Path
) -> None:
    """At its value, with its interval, also where no row of the hold-out is."""
    store = ModelStore(tmp_path / "models")
    version = publish_houses(store)
    write_picture(store.path(version), Picture(kind="agreement", holdout=[(200.0, 210.0), (300.0, 290.0)]))
    with inference(store.root, tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))
        expect(page.locator("#picture-drawing circle.holdout")).to_have_count(2)
        expect(page.locator("#picture-drawing line.asked")).to_have_count(0)

        page.get_by_label("area").fill("210")
        with page.expect_response("**/predict") as answered:
            page.get_by_role("button", name="Predict").click()

        expect(page.locator("#picture-drawing line.asked")).to_have_count(1)
        body = answered.value.json()
        value, (low, high) = body["predictions"][0], body["intervals"][0]
        assert value > 600
        assert abs(drawn(page, "line.asked", "y1") - height_of(page, value)) < 0.5
        assert drawn(page, "line.asked", "y1") == drawn(page, "line.asked", "y2")
        top, height = (drawn(page, "rect.asked-interval", name) for name in ("y", "height"))
        assert abs(top - height_of(page, high)) < 0.5
        assert abs(top + height - height_of(page, low)) < 0.5
        expect(page.locator("#picture-legend")).to_contain_text("red: the answer to your question")


def test_of_classes_the_column_of_the_answer_is_marked(
    page: Page, real_stores: Stores, tmp_path: Path
) -> None:
    store = ModelStore(tmp_path / "models")
    version = publish_flowers(store, CLASSES)
    write_picture(store.path(version), Picture(kind="confusion", counts=COUNTS))
    with inference(store.root, tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))
        marked = page.locator("#picture-drawing .asked")
        expect(page.locator("#picture-drawing tr")).to_have_count(4)
        expect(marked).to_have_count(0)

        for petal, name in (("0.5", "iris"), ("7.5", "rose")):
            page.get_by_label("sepal").fill(petal)
            page.get_by_label("petal").fill(petal)
            page.get_by_role("button", name="Predict").click()

            counts = [str(row[CLASSES.index(name)]) for row in COUNTS]
            expect(page.locator("#answer strong")).to_have_text(name)
            expect(marked).to_have_text([name, *counts])
            expect(page.locator("#picture-drawing [aria-current]")).to_have_text(name)


def test_names_of_columns_that_try_to_be_html_are_text(
    page: Page, real_stores: Stores, tmp_path: Path, violations: list[str]
) -> None:
    store = ModelStore(tmp_path / "models")
    config = TrainingConfig(features=(HOSTILE,), target=f"{HOSTILE} y")
    version = promote(store, publish(store, line_table(), config))
    write_picture(store.path(version), Picture(kind="fit", training=[(1.0, 3.0)], holdout=[(20.0, 41.0)]))
    with inference(store.root, tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))
        page.get_by_label(HOSTILE, exact=True).fill("5")
        page.get_by_role("button", name="Predict").click()

        expect(page.locator("#answer")).to_contain_text(f"{HOSTILE} y = ")
        expect(page.locator("#model-facts")).to_contain_text(f"{HOSTILE} y from {HOSTILE}")
        expect(page.locator("#picture-drawing")).to_contain_text(HOSTILE)
        nothing_has_run(page, violations)


def test_names_of_classes_that_try_to_be_html_are_text(
    page: Page, real_stores: Stores, tmp_path: Path, violations: list[str]
) -> None:
    store = ModelStore(tmp_path / "models")
    classes = tuple(f"{HOSTILE} {index}" for index in range(3))
    version = publish_flowers(store, classes)
    write_picture(store.path(version), Picture(kind="confusion", counts=COUNTS))
    with inference(store.root, tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))
        page.get_by_role("button", name="Predict").click()

        expect(page.locator("#answer strong")).to_contain_text(HOSTILE)
        expect(page.locator("#answer .bar span").first).to_contain_text(HOSTILE)
        expect(page.locator("#picture-drawing th[scope=row]")).to_have_text(list(classes))
        expect(page.locator("#log-rows tr").first).to_contain_text(HOSTILE[:40], timeout=10_000)
        nothing_has_run(page, violations)


def nothing_has_run(page: Page, violations: list[str]) -> None:
    """The names are no elements of the page, and the browser had nothing to block."""
    expect(page).to_have_title("ml-stack")
    assert page.locator("main img, main script").count() == 0
    assert violations == []
