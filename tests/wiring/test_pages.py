"""README.md and docs/: links lead somewhere, and what they name is there."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.harness.documents.command import Command
from tests.harness.documents.data_pipelines import TROUBLESHOOTING
from tests.harness.documents.ml_application import COMMON_ISSUES
from tests.harness.repository import parse, read, settings
from tests.harness.repository_root import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?)(?: +#+)?$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    found: Counter[str] = Counter()
    names = set()
    for heading in _HEADING.findall(_FENCED.sub("", page.read_text("utf-8"))):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        names.add(f"{slug}-{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_and_anchor_resolves(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text("utf-8"))):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = (page.parent / path).resolve() if path else page
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_page_can_be_reached_from_the_readme(page: Path) -> None:
    assert f"](docs/{page.name}" in read("README.md")


def test_the_readme_is_short_and_begins_with_what_matters() -> None:
    lines = read("README.md").splitlines()
    beginning = "\n".join(lines[:30])
    title, sentence = [line for line in lines if line][:2]

    assert len(lines) <= 110
    assert title == "# ml-stack"
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "```bash\ndocker compose up --build --wait\n```" in beginning
    assert re.search(r"```bash\ncurl .+\n```\n+```json\n\{.+\}\n```", beginning)
    for port in ("5000", "8000", "9090"):
        assert f"<http://localhost:{port}" in beginning
    assert "`make test`" in beginning


def test_the_readme_names_every_folder() -> None:
    section = read("README.md").partition("\n## Folders\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([\w-]+)/`", section))
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    folders = {name.split("/")[0] for name in listed.split("\n") if "/" in name and not name.startswith(".")}

    assert folders <= named
    assert all((ROOT / name).is_dir() for name in named - {"prediction", "bootstrap", "operate", "develop"})


def test_the_monitoring_page_lists_every_alert_beside_its_file() -> None:
    rows = re.findall(r"^\| `(\w+\.yml)` \| (.+) \|$", read("docs/monitoring.md"), re.MULTILINE)
    listed = {name: set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)*\b", text)) for name, text in rows}

    for path in (ROOT / "prometheus" / "rules").glob("*.yml"):
        groups = parse(f"prometheus/rules/{path.name}")["groups"]
        alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        assert alerts == listed.get(path.name, set()), path.name


@pytest.mark.parametrize("command", [*TROUBLESHOOTING, *COMMON_ISSUES], ids=lambda command: command.text)
def test_the_troubleshooting_page_has_what_the_documents_advise(command: Command) -> None:
    text = (command.instead or command.text).replace("docker-compose", "docker compose")

    assert text.replace("PROJECT", settings()["COMPOSE_PROJECT_NAME"]) in read("docs/troubleshooting.md")
