"""Other model servers with the same linear model: one at a time on the server's core, the same load."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import joblib
import psutil

from bench.contenders import ECHO, OURS, PLAIN, Contender, running_contenders
from bench.load import Seen, put_load, sending
from bench.machine import cpu_seconds
from bench.peer_answers import answers, verify
from bench.peer_results import FASTAPI, OUR_API, Found, Missing, PeerRun, describe
from bench.peer_servers import FEATURES, PEERS, Asked, NotInstalled, Peer, install, start_command, versions
from bench.runs import MANY, ONE
from bench.stores import count_rows, running_stores, truncate
from tests.harness.processes.serving import publish_line
from tests.harness.processes.store_process import Server

__all__ = ["describe", "measure"]
_PORT = 30_150  # a server may take the two that follow as well
_ASKED = {
    PLAIN: Asked("/predict", FEATURES, lambda answer: float(answer["prediction"])),
    OURS: Asked("/predict", FEATURES, lambda answer: float(answer["predictions"][0])),
}
_ABOUT = {
    PLAIN: (FASTAPI, "`async def`, pydantic; no cache, no log"),
    OURS: (OUR_API, "as shipped: cache, interval, a committed row for each answer"),
}


def measure(rounds: int, seconds: float, progress: Callable[[str], None]) -> Found:
    """Measure every server; raise RuntimeError if a prediction is wrong or a row was not logged."""
    found: Found = []
    with TemporaryDirectory(prefix="ml-stack-bench-") as directory, running_stores() as stores:
        models = Path(directory, "models")
        publish_line(models, 2.0)
        estimator = joblib.load(models / "model.pkl")
        line = float(estimator.coef_[0]), float(estimator.intercept_)
        with running_contenders(stores, progress, {ECHO, PLAIN, OURS}, models=models) as contenders:
            echo, *ours = contenders
            meter = _Meter(echo, line, rounds, seconds, progress)
            for contender in ours:
                if contender.database:
                    truncate(stores.postgres, contender.database)
                name, settings = _ABOUT[contender.name]
                asked = _ASKED[contender.name]
                runs, answered = meter.measure(contender, asked, name, settings, "")
                if contender.database and count_rows(stores.postgres, contender.database) != answered:
                    raise RuntimeError(f"{name}: not every answered request was logged")
                found += runs
            for peer in PEERS:
                found += _measure_peer(peer, meter, line, progress)
    return found


def _measure_peer(
    peer: Peer, meter: _Meter, line: tuple[float, float], progress: Callable[[str], None]
) -> Found:
    try:
        programs = install(peer.package)
    except NotInstalled as error:
        progress(str(error))
        return [Missing(peer.title, peer.settings, f"{peer.title} cannot be installed: {error}")]
    version = versions(peer, programs)
    progress(f"starting {version}, {peer.settings}")
    with TemporaryDirectory(prefix="ml-stack-bench-") as directory:
        command = start_command(peer, programs, Path(directory), line, _PORT)
        server = Server(command, Path(directory), _PORT, lambda: answers(_PORT, peer.asked), patience=90.0)
        with _ended(server):
            try:
                server.start()
            except RuntimeError as error:
                progress(str(error))
                return [Missing(peer.title, peer.settings, f"{version} does not start")]
            contender = Contender(peer.title, _PORT, [server])
            return [*meter.measure(contender, peer.asked, peer.title, peer.settings, version)[0]]


@contextmanager
def _ended(server: Server) -> Iterator[None]:
    """Leave none of its processes after the block."""
    processes: list[psutil.Process] = []
    try:
        yield
    finally:
        if server.process is not None and server.process.poll() is None:
            processes = psutil.Process(server.process.pid).children(recursive=True)
        server.stop()
        for process in processes:
            if process.is_running():
                process.kill()
        psutil.wait_procs(processes, 10)


class _Meter:
    def __init__(
        self,
        echo: Contender,
        line: tuple[float, float],
        rounds: int,
        seconds: float,
        progress: Callable[[str], None],
    ) -> None:
        self._echo, self._line, self._progress = echo, line, progress
        self._rounds, self._seconds = rounds, seconds

    def measure(
        self, contender: Contender, asked: Asked, name: str, settings: str, version: str
    ) -> tuple[list[PeerRun], int]:
        """Return its runs, and how many requests it has answered in them."""
        slope, intercept = self._line
        answered = verify(contender.port, asked, lambda number: slope * number + intercept)
        with sending(asked.body, asked.path):
            answered += put_load(contender.port, MANY, 0.0, self._seconds / 2, _seed()).ok  # warm
            runs = [self._round(contender, name, settings, version) for _ in range(self._rounds)]
        answered += sum(run.many.ok + run.one.ok for run in runs)
        answered += verify(contender.port, asked, lambda number: slope * number + intercept)
        return runs, answered

    def _round(self, contender: Contender, name: str, settings: str, version: str) -> PeerRun:
        before = self._load(self._echo, MANY)
        cpu = cpu_seconds(contender.pids())
        many = self._load(contender, MANY)
        cpu = cpu_seconds(contender.pids()) - cpu
        after = self._load(self._echo, MANY)
        one = self._load(contender, ONE)
        rates = before.ok / before.seconds, after.ok / after.seconds
        run = PeerRun(name, settings, version, rates, many, cpu, one)
        self._progress(f"{name}, {settings}: {many.ok / many.seconds:,.0f}/s, {run.of_echo:.3f} of L")
        return run

    def _load(self, contender: Contender, connections: int) -> Seen:
        seen = put_load(contender.port, connections, 0.0, self._seconds, _seed())
        if seen.refused or seen.broken or seen.unanswered:
            raise RuntimeError(f"{contender.name}: {seen}")
        return seen


def _seed() -> int:
    return random.SystemRandom().randrange(1 << 30)
