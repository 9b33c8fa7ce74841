"""`make up` with COMPOSE_FILE and COMPOSE_PROFILES in the shell."""

from __future__ import annotations

import subprocess

from tests.harness.production.stack import Production
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import terminal_environment
from tests.harness.stack.containers import find


def test_make_up_starts_the_files_and_profiles_that_the_shell_names(stack: Production) -> None:
    chosen = {"COMPOSE_FILE": ":".join(stack.files), "COMPOSE_PROFILES": "async"}
    environment = terminal_environment() | stack.environment | chosen

    done = subprocess.run(
        ["make", "up"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "API key" in done.stdout
    health = {each.service: each.health for each in find(stack.project) if each.is_server}
    assert health["worker"] == health["rabbitmq"] == "healthy"
    assert not {"database", "postgres"} & set(health)
    stack.compose("--profile", "async", "rm", "--force", "--stop", "worker", "rabbitmq")
