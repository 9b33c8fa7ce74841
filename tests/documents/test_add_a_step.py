"""Who follows docs/add-a-step.md to the letter has a new step, in its place, that can refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.documents.add_a_step import Checkout, Page, read_page
from tests.harness.repository_root import ROOT


@pytest.fixture(scope="module")
def page() -> Page:
    return read_page()


@pytest.fixture(scope="module")
def checkout(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The checkout after sections 1 to 3; its containers are gone afterwards."""
    copy = Checkout.copy_to(tmp_path_factory.mktemp("checkout"))
    copy.follow(page)
    yield copy
    copy.run("docker compose down --volumes --timeout 2 --rmi local")


def test_the_new_step_runs_between_its_neighbours(checkout: Checkout, page: Page) -> None:
    built, started, logs = (checkout.run(command) for command in page.start)

    assert (built.returncode, started.returncode) == (0, 0), (built.stderr + started.stderr)[-3000:]
    events = [json.loads(line)["event"] for line in logs.stdout.splitlines()]
    assert events == ["few outliers", "finished"]
    order = [_ended(checkout, service) for service in ("data-validate", page.service, "model-train")]
    assert order == sorted(order)


def test_the_new_step_stops_what_comes_after_it(checkout: Checkout, page: Page) -> None:
    (spoil,), (restart,) = page.spoil, page.restart

    assert checkout.run(spoil).returncode == 0
    refused = checkout.run(restart)

    assert refused.returncode != 0
    assert f'service "{page.service}" didn\'t complete successfully: exit 1' in refused.stderr
    last = checkout.run(f"docker compose logs --no-log-prefix --tail 1 {page.service}").stdout
    assert "15% of the rows are outliers" in json.loads(last)["event"]
    serving = checkout.run("docker compose ps --status running --services").stdout.split()
    assert "model-serve" in serving


def test_the_new_step_keeps_the_rules_of_all_steps(checkout: Checkout, page: Page) -> None:
    assert len(page.python.splitlines()) <= 40
    for command in (
        "docker compose config --quiet",
        f"ruff check {page.file}",
        f"ruff format --check {page.file}",
    ):
        done = checkout.run(f'PATH="{_venv()}:$PATH" {command}')
        assert done.returncode == 0, done.stdout + done.stderr


def _venv() -> Path:
    return ROOT / ".venv" / "bin"


def _ended(checkout: Checkout, service: str) -> str:
    (container,) = checkout.run(f"docker compose ps --all --quiet {service}").stdout.split()
    return checkout.run(f"docker inspect --format '{{{{.State.FinishedAt}}}}' {container}").stdout.strip()
