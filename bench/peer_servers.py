"""Other model servers: how each is started with the same linear model, and its documented settings."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import on_server_core
from bench.stores import ROOT

_INSTALL = ROOT / "bench" / "peers" / "install.sh"
_VERSIONS = """
import platform, sys
from importlib.metadata import version
print(*map(version, (sys.argv[1], "scikit-learn", "uvicorn")), platform.python_version())
"""
_OPEN_INFERENCE = '{"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [%.12f]}]}'
FEATURES = '{"features": [%.12f]}'
_BATCH = 64  # rows: one for each connection


class NotInstalled(RuntimeError):
    """The server's packages cannot be installed here; the message says why."""


@dataclass(frozen=True)
class Asked:
    """How a server is asked for the prediction of a number, and where the answer has it."""

    path: str
    body: str  # with %.12f in the number's place
    read: Callable[[Any], float]


@dataclass(frozen=True)
class Peer:
    """Another server with its settings."""

    package: str
    title: str
    settings: str
    asked: Asked
    command: Callable[[Path, Path, int], list[str]]  # of its folder of programs, one to write in, and a port


def _mlserver(server: dict[str, Any], model: dict[str, Any]) -> Callable[[Path, Path, int], list[str]]:
    def command(programs: Path, directory: Path, port: int) -> list[str]:
        ports = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
        settings = {"debug": False, "metrics_dir": str(directory)} | ports | server
        (directory / "settings.json").write_text(json.dumps(settings))
        about = {"name": "line", "implementation": "mlserver_sklearn.SKLearnModel"}
        parameters = {"parameters": {"uri": str(directory / "model.joblib"), "version": "1"}}
        (directory / "model-settings.json").write_text(json.dumps(about | parameters | model))
        return [str(programs / "mlserver"), "start", str(directory)]

    return command


def _bentoml(service: str) -> Callable[[Path, Path, int], list[str]]:
    def command(programs: Path, _: Path, port: int) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(port)]
        return [str(programs / "bentoml"), "serve", f"bench.peers.bento_service:{service}", *where]

    return command


def _litserve(batch: int) -> Callable[[Path, Path, int], list[str]]:
    def command(programs: Path, _: Path, port: int) -> list[str]:
        return [str(programs / "python"), "bench/peers/litserve_server.py", str(port), str(batch)]

    return command


_V2 = Asked("/v2/models/line/infer", _OPEN_INFERENCE, lambda answer: float(answer["outputs"][0]["data"][0]))
_ROWS = Asked("/predict", '{"rows": [[%.12f]]}', lambda answer: float(answer[0]))
_FEATURES = Asked("/predict", FEATURES, lambda answer: float(answer["prediction"]))
PEERS = (
    Peer("mlserver", "MLServer", "as installed: one inference process", _V2, _mlserver({}, {})),
    Peer(
        "mlserver",
        "MLServer",
        f"`parallel_workers: 0`, `max_batch_size: {_BATCH}`, `max_batch_time: 0.002`",
        _V2,
        _mlserver({"parallel_workers": 0}, {"max_batch_size": _BATCH, "max_batch_time": 0.002}),
    ),
    Peer("bentoml", "BentoML", "as installed: `workers=1`", _ROWS, _bentoml("Line")),
    Peer(
        "bentoml",
        "BentoML",
        f"`batchable=True`, `max_batch_size={_BATCH}`, `max_latency_ms=1000`",
        _ROWS,
        _bentoml("BatchedLine"),
    ),
    Peer("litserve", "LitServe", "as installed: `workers_per_device=1`", _FEATURES, _litserve(1)),
    Peer(
        "litserve", "LitServe", f"`max_batch_size={_BATCH}`, `fast_queue=True`", _FEATURES, _litserve(_BATCH)
    ),
)


def install(package: str) -> Path:
    """Return the folder of the server's programs; raise NotInstalled."""
    done = subprocess.run([_INSTALL, package], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotInstalled((done.stderr.strip() or "no output").splitlines()[-1])
    return ROOT / "build" / "bench" / "peers" / package / "bin"


def versions(peer: Peer, programs: Path) -> str:
    """Return the versions of the server and of what it runs on, as they are in its environment."""
    server, learn, uvicorn, python = run_in(programs, "-c", _VERSIONS, peer.package).split()
    return f"{peer.title} {server} (scikit-learn {learn}, uvicorn {uvicorn}, Python {python})"


def start_command(
    peer: Peer, programs: Path, directory: Path, line: tuple[float, float], port: int
) -> list[str]:
    """Write the model of the line (slope, intercept) into `directory`; return the command of the server."""
    model = directory / "model.joblib"
    run_in(programs, "bench/peers/line_model.py", *map(str, line), str(model))
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "MODEL_PATH": str(model),
        "BENTOML_HOME": str(directory),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    return on_server_core(ROOT, *peer.command(programs, directory, port), **environment)


def run_in(programs: Path, *arguments: str) -> str:
    """Run the environment's Python; return what it prints."""
    command = [str(programs / "python"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
