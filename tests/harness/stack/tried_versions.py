"""A version is tried under load: as a shadow and as a canary, while versions are promoted and rolled back."""

from __future__ import annotations

import time

import httpx

from tests.harness.stack.compose import Stack
from tests.harness.stack.following import (
    await_followed,
    await_replicas,
    health_pages,
    pages,
    retrain,
    served_version,
)
from tests.harness.stack.waiting import wait_until


def try_a_version(stack: Stack) -> None:
    """Beside it others are promoted and rolled back; then it is promoted itself, and rolled back."""
    first = served_version(stack)
    tried = another_version(stack)
    models(stack, "shadow", str(tried))
    models(stack, "canary", str(tried), "--share", "0.5")
    await_canary(stack, 0.5)
    wait_until(lambda: answers_of(stack, tried) > 20 and scores_of(stack, tried) > 20, 60, "both to be used")

    urls = health_pages(stack)
    retrain(stack, DATA_SEED="23")
    await_followed(stack, urls)
    models(stack, "rollback")
    await_followed(stack, urls)
    assert served_version(stack) == first
    before = scores_of(stack, tried)
    wait_until(lambda: scores_of(stack, tried) > before, 30, "the shadow to go on")
    models(stack, "promote", str(tried))
    await_followed(stack, urls)
    await_canary(stack, 0.0)
    models(stack, "rollback")
    await_followed(stack, urls)


def another_version(stack: Stack) -> int:
    """Train a version on other data; return its number when another is served again."""
    served = served_version(stack)
    retrain(stack, DATA_SEED="17")
    version = served_version(stack)
    assert version != served
    models(stack, "promote", str(served))
    await_followed(stack, health_pages(stack))
    return version


def models(stack: Stack, *command: str) -> str:
    """Run a command of the model volume."""
    return stack.compose("run", "--rm", "--no-deps", "-T", "models", *command).stdout


def await_canary(stack: Stack, share: float) -> None:
    """Return when every replica has noticed the canary, which must be within two seconds."""
    sample = f"canary_share {share}"

    def noticed(answer: httpx.Response) -> bool:
        return sample in answer.text.splitlines()

    await_replicas(pages(stack, "/metrics"), time.monotonic(), noticed)


def answers_of(stack: Stack, version: int) -> int:
    """Return how many requests the version has answered."""
    return _count(stack, f"SELECT count(*) FROM predictions WHERE model_version = {version:d}")  # noqa: S608


def scores_of(stack: Stack, version: int) -> int:
    """Return on how many requests the version was scored."""
    return _count(stack, f"SELECT count(*) FROM shadow_predictions WHERE version = {version:d}")  # noqa: S608


def _count(stack: Stack, query: str) -> int:
    return int(stack.psql("postgres", "predictions", query))
