"""The objects that the routes use, created once per process and stored in the Flask application."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import cast

from flask import current_app

from mlstack.inference.trial import TrialLoader
from mlstack.serving.health import Health
from mlstack.serving.metrics import ServingMetrics
from mlstack.serving.settings import ServingSettings
from mlstack.serving.training_data import TrainingData
from mlstack.web.challengers import Challengers
from mlstack.web.served_models import ServedModels

_KEY = "serving"


@dataclass(frozen=True)
class Services:
    """The objects that requests use."""

    settings: ServingSettings
    models: ServedModels
    data: TrainingData
    health: Health
    metrics: ServingMetrics


def make_services(settings: ServingSettings, draining: threading.Event) -> Services:
    """Load the current model; connect to the database only at the first query."""
    trials = TrialLoader(settings.max_model_bytes)  # before there are threads
    store = settings.models.open()
    challengers = Challengers(store, trials.load, settings.events_dir, "model-serve")
    models = ServedModels(store, trials.load, challengers)
    data = TrainingData(settings.database_url)
    return Services(settings, models, data, Health(models, data, draining), ServingMetrics(models))


def services() -> Services:
    """Return the services of the application that answers the current request."""
    return cast("Services", current_app.extensions[_KEY])


def extension(made: Services) -> dict[str, Services]:
    """Return the entry for `Flask.extensions`."""
    return {_KEY: made}
