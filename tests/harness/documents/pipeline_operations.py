"""Expected outcomes in "Multi-Container Data Pipeline Project": containers, volumes, networks, ports."""

from __future__ import annotations

import httpx

from tests.harness.documents.outcomes import everything_runs
from tests.harness.documents.program import Program
from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import Container, find
from tests.harness.stack.waiting import wait_until

VOLUMES = ("postgres_data", "predictions_data", "redis_data", "model_data", "prometheus_data")


def project_structure(_stack: Stack, output: str) -> None:
    """The files that the document lists."""
    listed = ("docker-compose.yaml", "Dockerfile", "requirements.txt", "README.md")
    steps = ("00-prepare_data.py", "10-train_model.py", "90-serve_model.py")

    assert {*listed, *steps} <= set(output.split())


def first_start(stack: Stack, output: str) -> None:
    """The steps log what they have done, and all servers are healthy."""
    everything_runs(stack, output)
    assert '"event":"generated and loaded"' in output
    for value in ("slope", "intercept", "mse", "rmse", "r2"):
        assert f'"{value}":' in output


def comes_up(stack: Stack, _output: str) -> None:
    """`up -d` returns as soon as everything is started; the servers are healthy soon after."""
    wait_until(
        lambda: {each.health for each in stack.containers() if each.is_server} == {"healthy"}, 60, "health"
    )
    everything_runs(stack, "")


def serve_in_foreground(stack: Stack, program: Program) -> None:
    """A second server runs beside the first, answers, and ends on Ctrl-C."""
    try:
        wait_until(lambda: [each.health for each in _run(stack)] == ["healthy"], 120, "the server's health")
        (container,) = _run(stack)
        address = f"http://{container.address}:5000/predict"
        assert httpx.post(address, json={"values": [5]}, trust_env=False).json()["predictions"] == [[11.0]]
    finally:
        program.press_ctrl_c()
        code = program.wait(30)
    assert code == 0, program.output[-2000:]
    assert not _run(stack)


def _run(stack: Stack) -> list[Container]:
    return find(stack.project, "model-serve", run_once=True)


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
