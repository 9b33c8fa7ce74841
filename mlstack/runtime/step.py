"""Runs a numbered step: configures logging, turns expected failures into one log line, sets the exit code."""

from __future__ import annotations

import atexit
import logging
import os
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
    """Run `main`, then exit: with code 0, or with 1 after one log line per expected failure."""
    configure_logging(name, env("LOG_LEVEL", "INFO"))
    signal.signal(signal.SIGTERM, _stop)  # PID 1 of a container ignores SIGTERM unless it has a handler
    started = time.perf_counter()
    try:
        main()
    except DataRefused as refused:
        for finding in refused.findings:
            logger.error(finding)
        _leave(1)
    except (Refusal, SettingsError) as refused:
        logger.error(refused)
        _leave(1)
    except MemoryError:
        logger.error("not enough memory for a table of this size: raise STEP_MEMORY or use fewer rows")
        _leave(1)
    logger.info("finished", extra={"seconds": round(time.perf_counter() - started, 3)})
    _leave(0)


def _leave(code: int) -> NoReturn:
    """End the process as sys.exit does, but let the kernel take its memory.

    Taking down the modules of scikit-learn one by one takes a quarter of a second, and the next step waits.
    """
    atexit._run_exitfuncs()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _stop(signum: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)
