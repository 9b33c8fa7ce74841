"""The inference service: `app` is what uvicorn serves."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response
from fastapi_offline import FastAPIOffline

from api.dependencies import require_key
from api.errors import add_error_handlers
from api.http_server.asgi import App, Receive, Scope, Send
from api.http_server.observation import ObserveRequests
from api.jobs import routes as jobs
from api.jobs.service import open_job_service
from api.open_inference import inference
from api.open_inference import routes as open_inference
from api.openapi import SECTIONS, describe_predict
from api.prediction.admission import Admission
from api.prediction.endpoint import PATH, PredictEndpoint
from api.routes import health, information
from api.service import open_service
from api.settings import Settings
from mlstack.registry.trial import TrialLoader


class HotPathFirst:
    """Dispatches POST /predict to its own handler, and everything else to FastAPI."""

    def __init__(self, app: FastAPI) -> None:
        """The endpoint is made in the application's lifespan."""
        self._app = app
        self._observed: App = ObserveRequests(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            if scope["path"] == PATH and scope["method"] == "POST":
                await self._app.state.predict(scope, receive, send)
                return
            if not scope[
                "path"
            ].isprintable():  # `$` in a route's pattern matches before a last line feed, too
                scope["path"] = quote(scope["path"])
        await self._observed(scope, receive, send)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
    """Open everything in order, close it in reverse; give the server the service, which it tells to drain."""
    settings = Settings.from_env()
    trials = TrialLoader(settings.max_model_bytes)  # before there are threads
    async with (
        open_service(settings, trials.load) as service,
        open_job_service(settings.database_url, service.memory) as jobs_service,
    ):
        app.state.service = service
        app.state.jobs = jobs_service
        app.state.predict = PredictEndpoint(service.intake, service.batcher, service.keys, service.memory)
        # What is loaded by now stays: a full collection looks through all of it, and answers nobody meanwhile
        gc.collect()
        gc.freeze()
        yield {"service": service, "direct": Admission(service.models, service.batcher, service.keys)}


async def _only_post(_: Request) -> Response:
    """Make the router answer 405 to other methods; it never sees POST, which goes to the hot path."""
    raise NotImplementedError


def create_app() -> HotPathFirst:
    """Build the application; nothing is opened before its lifespan begins."""
    app = FastAPIOffline(  # the documentation pages bring their own files: no CDN
        title="ml-stack inference service",
        version="1.0.0",
        summary="Predictions with intervals; cached, logged, and never lost once answered.",
        openapi_tags=SECTIONS,
        lifespan=lifespan,
        dependencies=[Depends(require_key)],
        redirect_slashes=False,
    )
    app.include_router(information.router)
    app.include_router(health.router)
    app.include_router(open_inference.router)
    app.include_router(inference.router)
    app.include_router(jobs.router)
    app.router.add_route(PATH, _only_post, methods=["POST"], include_in_schema=False)
    add_error_handlers(app)
    describe_predict(app)
    return HotPathFirst(app)


app = create_app()
