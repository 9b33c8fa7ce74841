"""The contenders: each is one worker process on the server's core, started once for all rounds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.earlier import train_with
from bench.front_door import write_configuration
from bench.load import answers
from bench.machine import LOAD_CORES, SERVER_CORE, on_core, on_server_core
from bench.stores import PREDICTIONS, ROOT, TEXTBOOK, Stores, durable_redis, inference_url
from tests.harness.processes.serving import publish_line
from tests.harness.processes.store_process import RedisServer, Server

_FIRST_PORT = 30_100
_UVICORN = (
    "--loop uvloop --http httptools --ws none --no-access-log --no-server-header --no-proxy-headers"
    " --log-level warning --backlog 2048 --timeout-keep-alive 75 --host 127.0.0.1"
)
MISS, HOT, HIT = "all miss", "90 % hits", "all hit"
HOT_SHARE = {MISS: 0.0, HOT: 0.9, HIT: 1.0}
ECHO, PLAIN, BOOK = "echo", "plain", "textbook"
OURS, EARLIER, FRONT, EVERYSEC = "api", "api-earlier", "api-nginx", "api-everysec"
SECOND = "api-2"  # a replica of OURS, on a core of the load
ALL = {ECHO, PLAIN, BOOK, OURS, FRONT, EVERYSEC}  # without those that need another checkout or core


@dataclass(frozen=True)
class Contender:
    """A running server, how to reach it, and where it logs and caches, if it does."""

    name: str
    port: int
    servers: list[Server]
    loads: tuple[str, ...] = (MISS, HOT, HIT)
    database: str | None = None
    redis: RedisServer | None = None

    def pids(self) -> list[int]:
        """Return the processes that do the work."""
        return [server.process.pid for server in self.servers if server.process is not None]


@dataclass
class _Starter:
    stores: Stores
    directory: Path
    model_dir: Path
    stack: ExitStack
    started: list[Contender] = field(default_factory=list)

    def free_port(self) -> int:
        return _FIRST_PORT + len(self.started)

    def run(self, name: str, command: list[str]) -> Server:
        port, directory = self.free_port(), self.directory / name
        directory.mkdir(exist_ok=True)
        server = Server(command, directory, port, lambda: answers(port))
        self.stack.callback(server.stop)
        try:
            server.start()
        except RuntimeError as error:
            raise RuntimeError(f"{name} cannot be measured: {error}") from error
        return server

    def uvicorn(self, name: str, *options: str, **environment: str) -> Server:
        application = f"bench.peers.{name}:app"
        arguments = [*_UVICORN.split(), "--port", str(self.free_port()), *options, application]
        environment["MODEL_PATH"] = str(self.model_dir / "model.pkl")
        command = on_server_core(ROOT, sys.executable, "-m", "uvicorn", *arguments, **environment)
        return self.run(name, command)

    def echo(self) -> None:
        environment = {"PORT": str(self.free_port())}
        server = self.run(ECHO, on_server_core(ROOT, sys.executable, "-m", "bench.peers.echo", **environment))
        self.started.append(Contender(ECHO, server.port, [server], (MISS,)))

    def plain(self) -> None:
        server = self.uvicorn(PLAIN)
        self.started.append(Contender(PLAIN, server.port, [server], (MISS,)))

    def textbook(self) -> None:
        redis = self.stores.everysec
        environment = {"REDIS_URL": redis.url(), "DATABASE_URL": self.stores.postgres.url(TEXTBOOK)}
        server = self.uvicorn(BOOK, **environment)
        self.started.append(Contender(BOOK, server.port, [server], database=TEXTBOOK, redis=redis))

    def ours(self, name: str, redis: RedisServer, checkout: Path = ROOT, core: int = SERVER_CORE) -> None:
        made = self.model_dir if checkout == ROOT else train_with(checkout, self.stores.postgres)
        environment = {
            "DATABASE_URL": inference_url(self.stores.postgres),
            "REDIS_URL": redis.url(),
            "MODEL_DIR": str(made),
            "HOST": "127.0.0.1",
            "PORT": str(self.free_port()),
        }
        server = self.run(name, on_core(core, checkout, sys.executable, "-m", "api", **environment))
        self.started.append(Contender(name, server.port, [server], database=PREDICTIONS, redis=redis))

    def front_door(self) -> None:
        """On the load's cores: in front of the api it competes with the clients, not with the server."""
        behind = next(contender for contender in self.started if contender.name == OURS)
        directory = self.directory / FRONT
        directory.mkdir()
        configuration = write_configuration(directory, self.free_port(), behind.port)
        command = ["nginx", "-c", str(configuration), "-p", str(directory), "-e", "stderr"]
        server = self.run(FRONT, [*command, "-g", "daemon off;"])
        both = [server, *behind.servers]
        self.started.append(Contender(FRONT, server.port, both, database=PREDICTIONS, redis=behind.redis))


@contextmanager
def running_contenders(
    stores: Stores,
    progress: Callable[[str], None],
    names: Container[str] = ALL,
    earlier: Path = ROOT,
    models: Path | None = None,
) -> Iterator[list[Contender]]:
    """Start the contenders in `names`, EARLIER from the folder `earlier`; stop them at the end.

    They serve the model volume `models`; without one, a linear model's. EARLIER serves one of its own.
    """
    with TemporaryDirectory(prefix="ml-stack-bench-") as path, ExitStack() as stack:
        directory = Path(path)
        directory.chmod(0o755)  # nginx's workers drop root
        model_dir = models or directory / "models"
        if models is None:
            publish_line(model_dir, 2.0)
        starter = _Starter(stores, directory, model_dir, stack)
        steps: dict[str, Callable[[], None]] = {
            ECHO: starter.echo,
            PLAIN: starter.plain,
            BOOK: starter.textbook,
            OURS: lambda: starter.ours(OURS, stores.always),
            SECOND: lambda: starter.ours(SECOND, stores.always, core=min(LOAD_CORES)),
            EARLIER: lambda: starter.ours(EARLIER, stack.enter_context(durable_redis()), earlier),
            FRONT: starter.front_door,
            EVERYSEC: lambda: starter.ours(EVERYSEC, stores.everysec),
        }
        for name, step in steps.items():
            if name in names:
                progress(f"starting {name}")
                step()
        yield starter.started
