"""Starts the inference service: python -m api."""

from __future__ import annotations

import logging
import signal
import sys

import uvicorn

from api.http_server.direct import DirectProtocol
from api.http_server.draining import DrainingServer
from api.settings import Settings
from mlstack.runtime.allocator import return_memory
from mlstack.runtime.logs import configure_logging
from mlstack.runtime.settings import SettingsError, env

logger = logging.getLogger("api")


def main() -> int:
    """Serve until SIGTERM; return the exit code."""
    configure_logging("api", env("LOG_LEVEL", "INFO"))
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        logger.error(str(error))
        return 1
    return_memory()
    # uvicorn drains on SIGTERM and raises the signal again afterwards; by then the work is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        "api.main:app",
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=DirectProtocol,
        ws="none",
        access_log=False,
        proxy_headers=False,  # nothing here asks who the client is
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=14,  # with DrainingServer's two seconds and the log's end: Compose waits 20
        timeout_keep_alive=75,  # longer than nginx's, so that nginx closes idle connections first
        backlog=2048,
    )
    server = DrainingServer(config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
