"""The stack on the laboratory's Swarm, deployed as docs/scaling.md tells."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.harness.production.certificates import write_certificate
from tests.harness.repository_root import ROOT
from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.lab import MACHINES, Lab, address, name

STACK = "mltest"
STORES = {"database": 1, "postgres": 2, "redis": 3}  # the machine that each lies on
STANDBY = "postgres-standby"
SERVER_MACHINES = STORES | {STANDBY: 1}
CHANGED = "changed"  # the tag of images that differ from the latest
IMAGES = (
    "ml-stack-steps:latest", "ml-stack-api:latest", f"ml-stack-steps:{CHANGED}", f"ml-stack-api:{CHANGED}",
    "postgres:15-alpine", "redis:7-alpine", "nginx:1.30-alpine", "prom/prometheus:v2.53.3",
    "prom/alertmanager:v0.28.1", "prometheuscommunity/postgres-exporter:v0.17.1",
    "oliver006/redis_exporter:v1.69.0-alpine",
)  # fmt: skip
_REPLICAS = {"API_REPLICAS": "2", "SERVE_REPLICAS": "2"}


@dataclass
class SwarmStack:
    """A deployed stack. `folder` holds its secrets and models, which all machines see."""

    lab: Lab
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)  # of every deployment
    log: str = "postgres"  # the service that takes the prediction log's writes

    def prepare(self) -> None:
        """Make what an administrator makes: secrets, a certificate, a folder for models, labels."""
        environment = {"SECRETS_DIR": str(self.folder / "secrets")}
        script = ROOT / "scripts" / "operate" / "make-secrets.sh"
        self.lab.run("on", "1", str(script), "database", "postgres", environment=environment)
        write_certificate(self.folder / "secrets" / "tls")
        models = self.folder / "models"
        models.mkdir()
        models.chmod(0o777)
        for label, machine in STORES.items():
            self.lab.docker("node", "update", "--label-add", f"{label}=true", name(machine))

    def prepare_standby(self) -> None:
        """Make what the prediction log's standby needs: a label, and both servers in the URLs."""
        self.lab.docker("node", "update", "--label-add", f"{STANDBY}=true", name(SERVER_MACHINES[STANDBY]))
        for url in ("inference_database_url", "drift_database_url"):
            file = self.folder / "secrets" / url / "value"
            both = file.read_text(encoding="utf-8").replace(
                "@postgres:5432", f"@postgres:5432,{STANDBY}:5432"
            )
            file.write_text(both, encoding="utf-8")

    def deploy(self, **settings: str) -> None:
        """Deploy, or update what is deployed."""
        environment = {
            "SECRETS_DIR": str(self.folder / "secrets"),
            "MODEL_DIR": str(self.folder / "models"),
            "RATE_LIMIT": "1000",
            "RATE_BURST": "1000",
            "MONITORING": "1",
            "DOCKER_SOCKET": "/run/docker/engine.sock",  # of every machine in the laboratory
            "DOCKER_GROUP": str(self.lab.group()),
            **_REPLICAS,
            **self.settings,
            **settings,
        }
        self._operate("swarm-deploy.sh", environment=environment)

    def promote(self, primary: str) -> None:
        """Let this one of the two servers of the log take the writes."""
        self._operate("swarm-promote.sh", primary)

    @property
    def key(self) -> str:
        """The API key."""
        return (self.folder / "secrets" / "api_keys" / "value").read_text(encoding="utf-8").strip()

    def service(self, service: str) -> str:
        """Return the service's name in the Swarm."""
        return f"{STACK}_{service}"

    def replicas(self) -> dict[str, str]:
        """Return what `docker service ls` says of each service, as `2/2`."""
        lines = self.lab.docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").splitlines()
        return {line.split()[0].partition("_")[2]: line.split()[1] for line in lines}

    def is_complete(self) -> bool:
        """Return whether every server has all its replicas, each of them healthy."""
        jobs = {"data-prep", "database-access", "postgres-access"}
        found = {service: n.split("/") for service, n in self.replicas().items() if service not in jobs}
        return all(running == wanted for running, wanted in found.values())

    def wait_until_complete(self, seconds: float = 240) -> None:
        """Wait for it."""
        wait_until(self.is_complete, seconds, "all replicas", pause=1)

    def wait_until_running(self, service: str, replicas: int) -> None:
        """Wait until a service has this many replicas, all of them healthy."""
        wait_until(lambda: self.replicas()[service] == f"{replicas}/{replicas}", 180, f"{replicas} replicas")

    def wait_until_updated(self, service: str) -> None:
        """Wait for the end of a service's update."""
        wait_until(lambda: self.update_status(service) == "completed", 300, f"{service}'s update", pause=1)

    def wait_until_trained(self, seconds: float = 300) -> None:
        """Wait until the steps have ended."""
        current = self.folder / "models" / "current"
        wait_until(current.exists, seconds, "the first model", pause=1)

    def models(self, *command: str) -> str:
        """Run a command of `models`, as docs/scaling.md tells."""
        environment = {"SECRETS_DIR": str(self.folder / "secrets")}
        return self._operate("swarm-models.sh", *command, environment=environment)

    def latest(self) -> str:
        """Return the newest version's number."""
        return max((path.name for path in (self.folder / "models" / "versions").iterdir()), key=int)

    def train(self, seed: int) -> None:
        """Run the four steps again, with other data."""
        again = ("service", "update", "--detach", "--force", "--env-add", f"DATA_SEED={seed}")
        self.lab.docker(*again, self.service("data-prep"))

    def break_update(self, service: str) -> None:
        """Begin an update of a service whose new replicas never answer; it goes back by itself."""
        broken = ("--health-cmd", "false", "--health-interval", "1s", "--health-retries", "2")
        update = ("service", "update", "--detach", *broken, "--health-start-period", "1s")
        self.lab.docker(*update, self.service(service))

    def answers(self, machines: Sequence[int] = MACHINES) -> bool:
        """Return whether each of these machines answers a prediction."""
        asked = (self.post(machine, "/predict", {"values": [5]}) for machine in machines)
        return all(answer.status_code == httpx.codes.OK for answer in asked)

    def post(self, machine: int, path: str, body: object, **headers: str) -> httpx.Response:
        """Return a machine's answer, by the certificate of this test's own."""
        key = {"X-API-Key": self.key.splitlines()[0]}
        return httpx.post(
            f"https://{address(machine)}:8443{path}", json=body, headers=key | headers, verify=False,  # noqa: S501
            timeout=5, trust_env=False,
        )  # fmt: skip

    def _operate(self, script: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """Run an administrator's script for this stack on a manager; return what it prints."""
        path = ROOT / "scripts" / "operate" / script
        return self.lab.run(
            "on", str(self.lab.manager), str(path), STACK, *arguments, environment=environment
        )

    def update_status(self, service: str) -> str:
        """Return the state of the service's latest update."""
        inspected = ("service", "inspect", self.service(service), "-f")
        return self.lab.docker(*inspected, "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}").strip()

    def exec(self, service: str, *command: str, stdin: str = "") -> str:
        """Run a command in a container of the service, wherever it is."""
        machine = SERVER_MACHINES.get(service) or int(self.lab.tasks(self.service(service))[0]["Node"][-1])
        label = f"label=com.docker.swarm.service.name={self.service(service)}"
        containers = self.lab.docker(
            "ps", "-q", "--filter", label, "--filter", "health=healthy", machine=machine
        )
        assert containers, f"{service} is not healthy"
        arguments = ("docker", "exec", "-i", containers.split()[0], *command)
        lab_command = [str(ROOT / "scripts" / "develop" / "swarm-lab.sh"), "on", str(machine), *arguments]
        done = subprocess.run(
            lab_command, env=self.lab.environment, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def sql(self, *statements: str, stdin: str = "", service: str = "") -> str:
        """Return what the prediction log answers, unaligned; or what one of its two servers does."""
        psql = ("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "predictions")
        return self.exec(
            service or self.log, *psql, *(part for each in statements for part in ("-c", each)), stdin=stdin
        )
