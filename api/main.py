"""The inference service, put together: what uvicorn serves."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response
from fastapi_offline import FastAPIOffline

from api import comparison
from api.challengers.comparing import Comparisons
from api.challengers.scoring import ShadowScoring
from api.challengers.watching import CanaryWatch
from api.connections.background import running
from api.connections.pool import open_pools
from api.dependencies import require_key
from api.errors import add_error_handlers
from api.feedback import metrics as feedback_metrics
from api.feedback import routes as feedback
from api.feedback.service import FeedbackService
from api.feedback.store import FeedbackStore
from api.http_server.asgi import App, Receive, Scope, Send
from api.http_server.observation import ObserveRequests
from api.jobs import routes as jobs
from api.jobs.service import open_job_service
from api.jobs.settings import JobSettings
from api.kserve_v1 import routes as kserve_v1
from api.metrics import registered
from api.mlflow_scoring import routes as mlflow_scoring
from api.open_inference import inference
from api.open_inference import routes as open_inference
from api.openapi import SECTIONS, describe_predict, protect_documentation
from api.page import routes as page
from api.page.sources import open_sources
from api.prediction.admission import Admission
from api.prediction.endpoint import PATH, PredictEndpoint
from api.routes import health, information
from api.service import open_service
from api.settings import Settings
from mlstack.inference.trial import TrialLoader


class HotPathFirst:
    """Dispatches POST /predict to its own handler, and everything else to FastAPI."""

    def __init__(self, app: FastAPI) -> None:
        """The endpoint is created in the application's lifespan."""
        self._app = app
        self._observed: App = ObserveRequests(answer_head(app))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            if scope["path"] == PATH and scope["method"] == "POST":
                await self._app.state.predict(scope, receive, send)
                return
            if not scope["path"].isprintable():
                # `$` in a route's pattern matches before a last line feed, too
                scope["path"] = quote(scope["path"], safe="/:")
        await self._observed(scope, receive, send)


def answer_head(app: App) -> App:
    """Answer HEAD where `app` answers GET: FastAPI would not; the server leaves the content out."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await app(scope, receive, send)

    return answer


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
    """Open everything in order, close it in reverse; give the server the service, which it tells to drain."""
    settings, job_settings = app.state.settings, app.state.job_settings
    trials = TrialLoader(settings.max_model_bytes)  # before there are threads
    async with (
        AsyncExitStack() as stack,
        open_service(settings, trials.load) as service,
        open_pools(service.database_address) as pools,
        open_job_service(pools, job_settings, service.memory) as jobs_service,
    ):
        app.state.service = service
        app.state.jobs = jobs_service
        sources = open_sources(service, pools.readers, settings.neighbours)
        app.state.page = await stack.enter_async_context(sources)
        app.state.feedback = FeedbackService(FeedbackStore(pools.writers), service.log)
        stack.enter_context(registered(feedback_metrics.REGISTRY))
        shadow = ShadowScoring(service.models, service.batcher, pools.writers, settings.shadow_share)
        watch = CanaryWatch(service.models, pools.readers)
        app.state.comparisons = Comparisons(service.models, pools.readers)
        for loop in (shadow.run_forever, watch.run_forever):
            await stack.enter_async_context(running(loop))
        app.state.predict = PredictEndpoint(service.intake, service.batcher, service.keys, service.memory)
        # Keep the objects loaded so far out of garbage collection: a full one would pause all requests.
        gc.collect()
        gc.freeze()
        yield {
            "service": service,
            "direct": Admission(service.models, service.batcher, service.keys, service.intake.callers.of),
        }


async def _only_post(_: Request) -> Response:
    """Makes the router answer other methods with 405; POST goes to the hot path, never here."""
    raise NotImplementedError


def create_app(settings: Settings, job_settings: JobSettings) -> HotPathFirst:
    """Build the application; nothing is opened before its lifespan begins."""
    app = FastAPIOffline(  # serves the documentation pages' scripts itself, without a CDN
        title="ml-stack inference service",
        version="1.0.0",
        summary="Predictions with intervals: cached, logged, and never lost after the answer.",
        openapi_tags=SECTIONS,
        lifespan=lifespan,
        dependencies=[Depends(require_key)],
        redirect_slashes=False,
    )
    app.state.settings, app.state.job_settings = settings, job_settings
    app.include_router(page.router)
    app.include_router(information.router)
    app.include_router(comparison.router)
    app.include_router(health.router)
    app.include_router(open_inference.router)
    app.include_router(inference.router)
    app.include_router(kserve_v1.router)
    app.include_router(mlflow_scoring.router)
    app.include_router(jobs.router)
    app.include_router(feedback.router)
    app.router.add_route(PATH, _only_post, methods=["POST"], include_in_schema=False)
    add_error_handlers(app)
    describe_predict(app)
    protect_documentation(app)
    return HotPathFirst(app)
