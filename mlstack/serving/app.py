"""The application factory."""

from __future__ import annotations

import threading

from flask import Flask, request

from mlstack.runtime.allocator import return_memory
from mlstack.runtime.secret_files import follow
from mlstack.serving.authorization import require_key
from mlstack.serving.body import discard_body
from mlstack.serving.errors import add_error_handlers
from mlstack.serving.observation import observe_requests
from mlstack.serving.overload import refuse_overload
from mlstack.serving.routes import routes
from mlstack.serving.services import extension, make_services
from mlstack.serving.settings import ServingSettings


def create_app(settings: ServingSettings, draining: threading.Event) -> Flask:
    """Return the application with its model loaded and kept up to date; call it in the worker process."""
    return_memory()
    app = Flask("model-serve", static_folder=None)
    app.url_map.merge_slashes = False
    secrets = (settings.database_url, settings.keys.secret)
    for secret in secrets:
        secret.look(confirmed=True)  # the settings are as old as the parent process
    follow(*secrets)
    made = make_services(settings, draining)
    app.extensions |= extension(made)
    add_error_handlers(app)
    observe_requests(app, made.metrics)

    @app.teardown_request
    def discard(_error: BaseException | None) -> None:
        discard_body(request)

    refuse_overload(app)
    require_key(app, settings.keys)
    app.register_blueprint(routes)
    made.models.follow()
    return app
