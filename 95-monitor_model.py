"""Step 95 (optional): monitor drift, and the error on true values that clients send (--once: one check)."""

from __future__ import annotations

import sys
from functools import partial

from mlstack.drift.check import Monitor
from mlstack.drift.history import History
from mlstack.drift.loop import MonitoringLoop, log_report
from mlstack.drift.server import create_app, serving
from mlstack.monitoring.collectors import read_collectors
from mlstack.registry.opening import read_store_settings
from mlstack.runtime.secret_files import Secret, follow
from mlstack.runtime.settings import env_float, env_int, read_database_url
from mlstack.runtime.step import run_step


def main() -> None:
    """Check again and again until SIGTERM, with the results at PORT; or check once and log the result."""
    store = read_store_settings().open()
    log_url = Secret("DATABASE_URL", partial(read_database_url, "DATABASE_URL"))
    training_url = Secret("TRAINING_DATABASE_URL", partial(read_database_url, "TRAINING_DATABASE_URL"))
    monitor = Monitor(store, log_url, training_url, env_float("DRIFT_WINDOW_HOURS", 24.0, minimum=0.01))
    if "--once" in sys.argv[1:]:
        log_report(monitor.check())
        monitor.live.log()
        return
    follow(log_url, training_url)
    history = History(monitor)
    loop = MonitoringLoop(history.check, env_float("DRIFT_INTERVAL_SECONDS", 30.0, minimum=1.0))
    app = create_app(loop, store, monitor.live, history, read_collectors(store.root))
    with serving(app, env_int("PORT", 9095)):
        loop.run()


if __name__ == "__main__":
    run_step("model-monitor", main)
