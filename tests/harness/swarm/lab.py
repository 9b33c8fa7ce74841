"""The laboratory: three Docker engines on this machine, one Swarm (scripts/develop/swarm-lab.sh)."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.harness.repository_root import ROOT

MACHINES = (1, 2, 3)
_ELECTION_SECONDS = 90  # a manager that comes back may bring a second election
_SCRIPT = ROOT / "scripts" / "develop" / "swarm-lab.sh"


def address(machine: int) -> str:
    """Return the machine's address."""
    return f"10.99.0.1{machine}"


def name(machine: int) -> str:
    """Return the name of the machine's node."""
    return f"mlab{machine}"


class Lab:
    """The three machines."""

    def __init__(self, folder: Path) -> None:
        """`folder` gets the engines' data, gigabytes of it."""
        self.environment = os.environ | {"LAB": str(folder), "MACHINES": str(len(MACHINES))}
        self.off: set[int] = set()  # killed or cut off

    def run(self, *command: str, seconds: float = 600, environment: dict[str, str] | None = None) -> str:
        """Run a command of the script; fail with what it says unless it succeeds."""
        done = subprocess.run(
            [_SCRIPT, *command], cwd=ROOT, env=self.environment | (environment or {}),
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"swarm-lab.sh {' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def docker(self, *arguments: str, machine: int | None = None, seconds: float = 90) -> str:
        """Return what docker prints on a machine; without one on any manager that is on."""
        command = ("on", str(machine or self.manager), "docker", *arguments)
        deadline = time.monotonic() + _ELECTION_SECONDS
        while True:
            try:
                return self.run(*command, seconds=seconds)
            except AssertionError as error:
                if "rpc error" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(1)  # the managers elect another leader: an administrator tries again

    @property
    def manager(self) -> int:
        """A manager that is on."""
        return min(set(MACHINES) - self.off)

    def group(self) -> int:
        """Return the number of the group that may use the engines' sockets."""
        return (Path(self.environment["LAB"]) / "1" / "sock").stat().st_gid

    def tasks(self, service: str) -> list[dict[str, Any]]:
        """Return the service's tasks that ought to run and do."""
        lines = self.docker(
            "service", "ps", service, "--format", "{{json .}}", "--filter", "desired-state=running"
        )
        found = [json.loads(line) for line in lines.splitlines()]
        return [task for task in found if task["CurrentState"].startswith("Running")]

    def tasks_on(self, machine: int) -> list[str]:
        """Return the tasks that run on a machine."""
        lines = self.docker(
            "node", "ps", name(machine), "--format", "{{.Name}} {{.CurrentState}}"
        ).splitlines()
        return [line.split()[0] for line in lines if line.split()[1] == "Running"]

    def leader(self) -> int:
        """Return the machine that leads the Swarm."""
        lines = self.docker("node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}").splitlines()
        (leader,) = (line.split()[0] for line in lines if line.endswith("Leader"))
        return int(leader[-1])

    def state(self, machine: int) -> str:
        """Return `ready` or `down`; nothing while the managers have no leader."""
        inspect = ("docker", "node", "inspect", name(machine), "-f", "{{.Status.State}}")
        done = subprocess.run(
            [_SCRIPT, "on", str(self.manager), *inspect],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    @contextmanager
    def more(self, *machines: int, images: Iterable[str]) -> Iterator[None]:
        """Have more machines, which are workers, until the block ends."""
        with ExitStack() as removals:
            for machine in machines:
                self.run("add", str(machine), *images)
                removals.callback(self.run, "remove", str(machine))
            yield

    def kill(self, machine: int) -> None:
        """Cut its power."""
        self.off.add(machine)
        self.run("kill", str(machine))

    def start(self, machine: int) -> None:
        """Power it on; its disk is as it was."""
        self.run("start", str(machine))
        self.off.discard(machine)

    def cut(self, machine: int) -> None:
        """Let every packet from and to it vanish."""
        self.off.add(machine)
        self.run("cut", str(machine))

    def heal(self, machine: int) -> None:
        """Undo `cut`."""
        self.run("heal", str(machine))
        self.off.discard(machine)


@contextmanager
def laboratory(folder: Path) -> Iterator[Lab]:
    """Start the machines; remove them afterwards."""
    lab = Lab(folder)
    lab.run("down")
    try:
        lab.run("up")
        yield lab
    finally:
        lab.run("down")
