"""Step 90: serve the promoted model over HTTP until SIGTERM."""

from __future__ import annotations

import logging
import sys

from mlstack.runtime.logs import configure_logging
from mlstack.runtime.settings import SettingsError, env
from mlstack.serving.server import GunicornServer
from mlstack.serving.settings import read_serving_settings

logger = logging.getLogger(__name__)


def main() -> int:
    """Serve until SIGTERM; if the server cannot start, log one line and return 1."""
    configure_logging("model-serve", env("LOG_LEVEL", "INFO"))
    try:
        server = GunicornServer(read_serving_settings())
    except (SettingsError, OSError) as error:
        logger.error("cannot start: %s", error)
        return 1
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
