"""What must come of the document's commands on containers, volumes, networks and ports."""

from __future__ import annotations

import subprocess

import httpx

from tests.documents.outcomes import everything_runs
from tests.documents.program import Program
from tests.stack.compose import Stack
from tests.stack.containers import Container, inspect
from tests.stack.waiting import wait_until

VOLUMES = ("postgres_data", "predictions_data", "redis_data", "model_data", "prometheus_data")


def project_structure(_stack: Stack, output: str) -> None:
    """The files that the document lists."""
    listed = ("docker-compose.yaml", "Dockerfile", "requirements.txt", "README.md")
    steps = ("00-prepare_data.py", "10-train_model.py", "90-serve_model.py")

    assert {*listed, *steps} <= set(output.split())


def first_start(stack: Stack, output: str) -> None:
    """The steps say what they have done, and everything that serves is healthy."""
    everything_runs(stack, output)
    assert '"event":"generated and loaded"' in output
    for value in ("slope", "intercept", "mse", "rmse", "r2"):
        assert f'"{value}":' in output


def comes_up(stack: Stack, _output: str) -> None:
    """`up -d` returns as soon as everything is started; healthy it is soon after."""
    servers = ("model-serve", "api", "nginx", "prometheus")
    wait_until(lambda: {each.health for each in stack.containers(*servers)} == {"healthy"}, 40, "all healthy")
    everything_runs(stack, "")


def serve_in_foreground(stack: Stack, program: Program) -> None:
    """A second server runs beside the first, answers, and ends on Ctrl-C."""
    wait_until(lambda: _run_container(stack) and _run_container(stack)[0].health == "healthy", 60, "`run`")
    (container,) = _run_container(stack)

    answer = httpx.post(f"http://{container.address}:5000/predict", json={"values": [5]}, trust_env=False)

    assert answer.json()["predictions"] == [[11.0]]
    program.press_ctrl_c()
    assert program.wait(20) == 0, program.output[-2000:]


def shell(_stack: Stack, program: Program) -> None:
    """A shell in the step's image: not root, nothing to write to but /tmp."""
    wait_until(lambda: "/app$ " in program.output, 60, "the prompt")

    program.type("ls; id -u; touch here; exit\n")

    assert program.wait(20) == 1  # of touch
    for text in ("00-prepare_data.py", "10001", "Read-only file system"):
        assert text in program.output


def nginx_is_at_8080(stack: Stack, _output: str) -> None:
    """The same server, at the other port."""
    address = "http://localhost:8080/predict"

    def answers() -> bool:
        return httpx.post(address, json={"values": [5]}, trust_env=False).text.startswith(
            '{"predictions": [[11.0]]'
        )

    wait_until(answers, 30, address)
    assert stack.api.get("/livez").is_success


def volumes_are_listed(stack: Stack, output: str) -> None:
    """Every volume of the project is there."""
    assert {f"{stack.project}_{name}" for name in VOLUMES} <= set(output.split())


def networks_are_listed(stack: Stack, output: str) -> None:
    """The network that the document names is there."""
    assert f"{stack.project}_ml-network" in output.split()


def _run_container(stack: Stack) -> list[Container]:
    """Return what `docker compose run model-serve` has made: none or one."""
    labels = (f"project={stack.project}", "service=model-serve", "oneoff=True")
    filters = [part for label in labels for part in ("--filter", f"label=com.docker.compose.{label}")]
    command = ["docker", "ps", "--quiet", "--no-trunc", *filters]
    return inspect(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
