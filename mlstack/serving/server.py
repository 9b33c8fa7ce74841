"""gunicorn, configured and started from Python: one worker process per replica, several threads.

With one process the metrics cover the whole replica; to scale, start more containers.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from mlstack.serving.settings import ServingSettings
from mlstack.serving.worker import DrainingWorker

if TYPE_CHECKING:
    from flask import Flask

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only for the heartbeat: its file is unlinked at once


class JsonLogger(Logger):  # type: ignore[misc]
    """Passes gunicorn's messages to the root logger, which writes JSON lines."""

    def setup(self, cfg: Any) -> None:
        """Install no handlers."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)


class GunicornServer(BaseApplication):  # type: ignore[misc]
    """Listens at once, builds the application in the worker process, drains on SIGTERM."""

    def __init__(self, settings: ServingSettings) -> None:
        """Listen on the port; raise OSError if it is in use."""
        self.settings = settings
        self.draining = threading.Event()
        self._listener = listen(settings.port)
        super().__init__()

    def load_config(self) -> None:
        """Set the settings that differ from gunicorn's defaults."""
        options = {
            "bind": f"fd://{self._listener}",
            "worker_class": DrainingWorker,
            "workers": 1,
            "threads": self.settings.threads,
            "keepalive": 75,  # longer than nginx keeps idle upstream connections (60 s): nginx closes first
            "graceful_timeout": self.settings.graceful_timeout,
            "worker_tmp_dir": str(_SHARED_MEMORY) if os.access(_SHARED_MEMORY, os.W_OK) else None,
            "control_socket_disable": True,
            "logger_class": JsonLogger,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the WSGI application; it is imported in the worker process only."""
        from mlstack.serving.app import create_app  # noqa: PLC0415

        return create_app(self.settings, self.draining)


def listen(port: int) -> int:
    """Return a listening socket's descriptor; gunicorn itself would retry a port in use for seconds."""
    return socket.create_server(("", port), backlog=2048).detach()
