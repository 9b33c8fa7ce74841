"""The engine's state of a container."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Container:
    """A snapshot of one container."""

    inspected: dict[str, Any]

    @property
    def id(self) -> str:
        """The full id."""
        return str(self.inspected["Id"])

    @property
    def service(self) -> str:
        """The Compose service it belongs to."""
        return str(self.inspected["Config"]["Labels"]["com.docker.compose.service"])

    @property
    def state(self) -> str:
        """Such as `running`, `exited`, `created`."""
        return str(self.inspected["State"]["Status"])

    @property
    def health(self) -> str:
        """`healthy`, `starting`, `unhealthy`, or "" where there is no health check."""
        return str(self.inspected["State"].get("Health", {}).get("Status", ""))

    @property
    def is_server(self) -> bool:
        """Whether it is a server, not a one-shot step."""
        return str(self.inspected["HostConfig"]["RestartPolicy"]["Name"]) in {"unless-stopped", "always"}

    @property
    def exit_code(self) -> int:
        """Of its last run; 0 while it runs."""
        return int(self.inspected["State"]["ExitCode"])

    @property
    def started(self) -> datetime:
        """When it was started last."""
        return _instant(self.inspected["State"]["StartedAt"])

    @property
    def finished(self) -> datetime:
        """When it ended last."""
        return _instant(self.inspected["State"]["FinishedAt"])

    @property
    def address(self) -> str:
        """Its IPv4 address on the network that servers share, reachable from this machine."""
        networks = self.inspected["NetworkSettings"]["Networks"]
        return next(str(net["IPAddress"]) for name, net in networks.items() if name.endswith("_ml-network"))

    def kill(self) -> None:
        """End its first process by SIGKILL, behind the engine's back: a crash, so it is restarted."""
        os.kill(int(self.inspected["State"]["Pid"]), signal.SIGKILL)


def find(project: str, service: str = "", run_once: bool = False) -> list[Container]:
    """Return a project's containers, ended ones too; with `run_once` those that `docker compose run` made."""
    labels = [f"project={project}", f"oneoff={run_once}"] + ([f"service={service}"] if service else [])
    filters = [part for label in labels for part in ("--filter", f"label=com.docker.compose.{label}")]
    command = ["docker", "ps", "--all", "--quiet", "--no-trunc", *filters]
    return inspect(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def inspect(ids: list[str]) -> list[Container]:
    """Look at containers; those that are gone by now are left out."""
    if not ids:
        return []
    done = subprocess.run(["docker", "inspect", *ids], check=False, capture_output=True, text=True)
    assert done.returncode == 0 or "No such object" in done.stderr, done.stderr
    return [Container(inspected) for inspected in json.loads(done.stdout)]


def raw_logs(containers: list[Container]) -> bytes:
    """Return all that these containers have written so far, as they wrote it."""
    done = [
        subprocess.run(["docker", "logs", each.id], check=True, capture_output=True) for each in containers
    ]
    return b"".join(one.stdout + one.stderr for one in done)


def _instant(text: str) -> datetime:
    """Parse RFC 3339 with nanoseconds, which Python 3.11 does not read."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")
