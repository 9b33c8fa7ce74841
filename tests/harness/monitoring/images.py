"""The images of the monitoring overlay: pulled, or stand-ins. Only Grafana's has none."""

from __future__ import annotations

import subprocess
from functools import cache

import yaml

from tests.harness.repository_root import ROOT

OVERLAY = "docker-compose.monitoring.yaml"


class _Loader(yaml.SafeLoader):
    """Reads Compose's own tags as what they are put on."""


_Loader.add_multi_constructor("!", lambda loader, _tag, node: loader.construct_sequence(node))


@cache
def overlay_images() -> dict[str, str]:
    """Return the image of each service that only the overlay defines."""
    overlay = yaml.load((ROOT / OVERLAY).read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    return {name: service["image"] for name, service in overlay["services"].items() if "image" in service}


def prepare_images(environment: dict[str, str]) -> bool:
    """Prepare all images; return whether Grafana's is available, too."""
    images = overlay_images()
    others = [image for name, image in images.items() if name != "grafana"]
    assert _ensure(environment, *others), f"{others} cannot be had"
    return _ensure(environment, images["grafana"])


def _ensure(environment: dict[str, str], *images: str) -> bool:
    """Pull images, or build stand-ins for them."""
    command = ["scripts/bootstrap/base-images.sh", "ensure", *images]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=300)
    return done.returncode == 0
