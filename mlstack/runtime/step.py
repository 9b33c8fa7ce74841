"""How a numbered step runs: log lines in, exit code out; a failure is one readable line and code 1."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from mlstack.runtime.logs import configure_logging
from mlstack.runtime.refusals import DataRefused, Refusal
from mlstack.runtime.settings import SettingsError, env

logger = logging.getLogger(__name__)


def run_step(name: str, main: Callable[[], None]) -> NoReturn:
    """Run `main` and leave the process: code 0, or 1 after one line for each thing a person must see to."""
    configure_logging(name, env("LOG_LEVEL", "INFO"))
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it tells of its font cache
    signal.signal(signal.SIGTERM, _stop)  # as a container's first process it would not even notice otherwise
    started = time.perf_counter()
    try:
        main()
    except DataRefused as refused:
        for finding in refused.findings:
            logger.error(finding)
        sys.exit(1)
    except (Refusal, SettingsError) as refused:
        logger.error(refused)
        sys.exit(1)
    except MemoryError:
        logger.error("not enough memory for a table of this size: raise STEP_MEMORY or use fewer rows")
        sys.exit(1)
    logger.info("finished", extra={"seconds": round(time.perf_counter() - started, 3)})
    sys.exit(0)


def _stop(signum: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)
