"""Starts the inference service: python -m api."""

from __future__ import annotations

import logging
import signal
import sys

import uvicorn

from api.http_server.direct import DirectProtocol
from api.http_server.draining import DrainingServer
from api.jobs.settings import JobSettings
from api.main import create_app
from api.settings import Settings
from mlstack.runtime.allocator import return_memory
from mlstack.runtime.logs import configure_logging
from mlstack.runtime.settings import SettingsError, env

logger = logging.getLogger(__name__)


def main() -> int:
    """Serve until SIGTERM; return the exit code."""
    configure_logging("api", env("LOG_LEVEL", "INFO"))
    try:
        settings, job_settings = Settings.from_env(), JobSettings.from_env()
    except SettingsError as error:
        logger.error(str(error))
        return 1
    return_memory()
    # uvicorn drains on SIGTERM and raises the signal again afterwards: by then all requests are answered.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        create_app(settings, job_settings),
        host=settings.host,
        port=settings.port,
        loop="api.connections.event_loop:new_event_loop",
        http=DirectProtocol,
        ws="none",
        access_log=False,
        proxy_headers=False,  # the client's address is not used
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=14,  # s; with draining (2 s) and the last write less than Compose's 20
        timeout_keep_alive=75,  # s; longer than nginx's, so that nginx closes idle connections first
        backlog=2048,
    )
    server = DrainingServer(config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
