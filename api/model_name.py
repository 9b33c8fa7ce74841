"""The name that the served model has in the protocols that name models."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from mlstack.web.problems import NotFound

MODEL = "model"
Name = Annotated[str, Path(description=f"The model's name: {MODEL}.")]


def check_name(name: str) -> None:
    """Raise NotFound for any name but the model's."""
    if name != MODEL:
        raise NotFound(f"there is no model {name[:64]}; its name is {MODEL}")
