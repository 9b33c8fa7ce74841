"""Starts the worker: python -m api.worker."""

from __future__ import annotations

import logging
import signal
import sys

import uvicorn

from api.worker.app import create_app
from api.worker.settings import WorkerSettings
from mlstack.runtime.allocator import return_memory
from mlstack.runtime.logs import configure_logging
from mlstack.runtime.settings import SettingsError, env

logger = logging.getLogger(__name__)


def main() -> int:
    """Process jobs until SIGTERM; return the exit code."""
    configure_logging("worker", env("LOG_LEVEL", "INFO"))
    try:
        settings = WorkerSettings.from_env()
    except SettingsError as error:
        logger.error(str(error))
        return 1
    return_memory()
    # uvicorn drains on SIGTERM and raises the signal again afterwards: by then the jobs are finished.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Health and metrics are answered by the event loop that processes jobs: when it hangs, they hang.
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="api.connections.event_loop:new_event_loop",
        http="httptools",
        ws="none",
        access_log=False,
        proxy_headers=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
