"""docs/add-a-step.md as a program: its code blocks, and a copy of the checkout in which to follow it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.processes.stores import free_port
from tests.harness.repository_root import ROOT

_PAGE = ROOT / "docs" / "add-a-step.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """The page's code blocks."""

    python: str
    yaml: str
    diff: str
    start: list[str]  # the commands of section 4
    spoil: list[str]  # of section 5: makes outliers
    restart: list[str]

    @property
    def file(self) -> str:
        """The name that the page gives to the new step."""
        (name,) = set(re.findall(r"\[python, (\S+\.py)\]", self.yaml))
        return str(name)

    @property
    def service(self) -> str:
        """The name of the new service."""
        return self.yaml.strip().partition(":")[0]


def read_page() -> Page:
    """Return the page's blocks; fail if there are others."""
    blocks = _BLOCK.findall(_PAGE.read_text(encoding="utf-8"))
    assert [kind for kind, _ in blocks] == ["python", "yaml", "diff", "bash", "bash", "bash"]
    texts = [text for _, text in blocks]
    start, spoil, restart = (text.splitlines() for text in texts[3:])
    return Page(texts[0], texts[1], texts[2], start, spoil, restart)


@dataclass(frozen=True)
class Checkout:
    """A copy of the checkout with its own Compose project."""

    root: Path
    database_port: int = field(default_factory=free_port)

    @classmethod
    def copy_to(cls, root: Path) -> Checkout:
        """Copy all files that are, or may become, part of the repository."""
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        return cls(root)

    def follow(self, page: Page) -> None:
        """Do what sections 1 to 3 say."""
        (self.root / page.file).write_text(page.python, encoding="utf-8")
        path = self.root / "docker-compose.yaml"
        before, services, after = _around(path.read_text(encoding="utf-8"), "data-validate")
        text = before + services + page.yaml + "\n" + after
        before, service, after = _around(text, "model-train")
        old, new = (line[1:] for line in page.diff.splitlines())
        assert service.count(old) == 1
        path.write_text(before + service.replace(old, new) + after, encoding="utf-8")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run one line of the page in a shell."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
        return subprocess.run(
            ["bash", "-c", command], cwd=self.root, env=environment | self._settings(),
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def _settings(self) -> dict[str, str]:
        return {"COMPOSE_PROJECT_NAME": "ml-stack-add-a-step", "DATABASE_PORT": str(self.database_port)}


def _around(compose: str, service: str) -> tuple[str, str, str]:
    """Split a Compose file into what comes before a service, the service, and what comes after."""
    start = compose.index(f"\n  {service}:") + 1
    following = re.compile(r"^  \S", re.MULTILINE).search(compose, start + 3)
    end = following.start() if following else len(compose)
    return compose[:start], compose[start:end], compose[end:]
