"""The picture of a version, as data: picture.json, which the quality gate writes and the api's page draws."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from mlstack.registry.atomic_files import replace_file
from mlstack.registry.regular_files import read_regular_file
from mlstack.runtime.refusals import ModelRefused

FILE_NAME = "picture.json"
MOST_POINTS = 400  # of each side
_MOST_BYTES = 1 << 20

Points = list[tuple[float, float]]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn.

    fit: points (feature, target). agreement: points (actual, predicted). confusion: how many hold-out rows of
    each class (outer list) were predicted as each class (inner list).
    """

    kind: Literal["fit", "agreement", "confusion"]
    training: Points = []
    holdout: Points = []
    counts: list[list[int]] = []


def write_picture(directory: Path, picture: Picture) -> None:
    """Replace the picture of the version in `directory`."""
    replace_file(directory / FILE_NAME, msgspec.json.encode(picture))


def read_picture(directory: Path) -> Picture | None:
    """Return the picture of the version in `directory`, None if it has none that can be read."""
    try:
        return msgspec.json.decode(read_regular_file(directory, FILE_NAME, _MOST_BYTES, ""), type=Picture)
    except (ModelRefused, msgspec.DecodeError, UnicodeDecodeError):
        return None
