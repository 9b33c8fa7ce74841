"""What the routes work with: made once per process, reached through the Flask application."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import cast

from flask import current_app

from pipeline.model_store import ModelStore
from pipeline.served_models import Models
from pipeline.serving.health import Health
from pipeline.serving.metrics import ServingMetrics
from pipeline.serving.settings import ServingSettings
from pipeline.serving.training_data import TrainingData

_KEY = "serving"


@dataclass(frozen=True)
class Services:
    """Everything a request may need."""

    settings: ServingSettings
    models: Models
    data: TrainingData
    health: Health
    metrics: ServingMetrics


def make_services(settings: ServingSettings, draining: threading.Event) -> Services:
    """Load the current model; the database is not contacted before it is asked for something."""
    models = Models(ModelStore(settings.model_dir))
    data = TrainingData(settings.database_url)
    return Services(settings, models, data, Health(models, data, draining), ServingMetrics(models.current))


def services() -> Services:
    """Return the services of the application that answers the current request."""
    return cast("Services", current_app.extensions[_KEY])


def extension(made: Services) -> dict[str, Services]:
    """Return the entry for `Flask.extensions`."""
    return {_KEY: made}
