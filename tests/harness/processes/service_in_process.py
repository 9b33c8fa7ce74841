"""The inference service without its socket, so that a state machine can drive it step by step."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from unittest.mock import patch

import httpx

from api.prediction.endpoint import PredictEndpoint
from api.service import Service, open_service
from api.settings import Settings
from mlstack.inference.loaded_model import LoadedModel
from tests.harness.processes.inference import Stores


class ServiceInProcess:
    """Runs the service on an event loop that is paused between the calls."""

    def __init__(self, model_dir: Path, stores: Stores, **environment: str) -> None:
        """Open it as the process does."""
        variables = {
            "MODEL_DIR": str(model_dir),
            "DATABASE_URL": stores.inference_url,
            "REDIS_URL": stores.redis.url("api"),
            **environment,
        }
        with patch.dict(os.environ, variables):
            settings = Settings.from_env()
        self._runner = asyncio.Runner()
        self._opening = open_service(settings)
        self._service: Service = self._runner.run(self._opening.__aenter__())

    @property
    def version(self) -> int:
        """The version that answers by default."""
        return self._service.models.select(None).version

    def use(self, model: LoadedModel) -> None:
        """Answer with this model from now on."""
        self._service.models.current._model = model

    @property
    def model(self) -> LoadedModel:
        """The model that answers by default."""
        return self._service.models.select(None)

    def notice(self) -> None:
        """Look for a new current version now instead of within a second."""
        self._service.models.current.refresh()

    def await_redis(self) -> None:
        """Return when it is connected to Redis; its event loop is paused between calls."""
        self._runner.run(self._connected())

    async def _connected(self) -> None:
        await asyncio.sleep(0.05)  # a lost connection is noticed first
        async with asyncio.timeout(10):
            while not self._service.redis.available:
                await asyncio.sleep(0.02)

    def write_the_cache(self) -> None:
        """Return when every answer so far is in Redis, as it is a few milliseconds after it was given."""
        self._runner.run(self._service.batcher.drained())

    def ask(self, bodies: list[str]) -> list[httpx.Response]:
        """POST the bodies to /predict at the same moment."""
        return self._runner.run(self._ask(bodies))

    def close(self) -> None:
        """Close it as the process does."""
        self._runner.run(self._opening.__aexit__(None, None, None))
        self._runner.close()

    def ask_once(self, bodies: list[str]) -> list[httpx.Response]:
        """The same, but take a refusal for an answer."""
        return self._runner.run(self._ask_once(bodies))

    def ask_in_order_of_answers(self, bodies: list[str]) -> list[httpx.Response]:
        """Ask all at the same moment and return the answers as they come."""
        return self._runner.run(self._ask_in_order_of_answers(bodies))

    async def _ask_in_order_of_answers(self, bodies: list[str]) -> list[httpx.Response]:
        return [await answer for answer in asyncio.as_completed(map(self._post, bodies))]

    async def _ask_once(self, bodies: list[str]) -> list[httpx.Response]:
        return list(await asyncio.gather(*map(self._post, bodies)))

    async def _ask(self, bodies: list[str]) -> list[httpx.Response]:
        return list(await asyncio.gather(*map(self._ask_until_answered, bodies)))

    async def _ask_until_answered(self, body: str) -> httpx.Response:
        """Ask again, as told, when a store that has just gone makes a prediction impossible to log."""
        for _ in range(100):
            answer = await self._post(body)
            if answer.status_code != 503:
                break
            await asyncio.sleep(0.1)
        return answer

    async def _post(self, body: str) -> httpx.Response:
        service = self._service
        endpoint = PredictEndpoint(service.intake, service.batcher, service.keys, service.memory)
        headers = {"content-type": "application/json"}
        transport = httpx.ASGITransport(app=endpoint)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.post("/predict", content=body, headers=headers)
