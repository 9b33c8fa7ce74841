"""The commands in a Markdown text's ```bash blocks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(
    r"^(?:[ ]*<!-- not run: (?P<reason>.+?) -->\n+)?(?P<indent>[ ]*)```bash\n(?P<body>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block; `not_run` is the reason that a comment before it gives, else empty."""

    commands: tuple[str, ...]
    not_run: str


def bash_blocks(markdown: str) -> list[Block]:
    """Return all blocks in order."""
    return [
        Block(tuple(_commands(textwrap.dedent(found["body"]))), found["reason"] or "")
        for found in _BLOCK.finditer(markdown)
    ]


def _is_open(command: str) -> bool:
    """Return whether a here-document has begun in the command and not ended."""
    begun = re.search(r"<<'(\w+)'", command)
    return begun is not None and begun[1] not in command.splitlines()


def _commands(body: str) -> Iterator[str]:
    """Yield the commands without comments; indented lines and here-documents belong to the one before."""
    gathered = ""
    for line in body.splitlines():
        continues = gathered.endswith("\\") or (gathered and line.startswith((" ", "\t")))
        continues = continues or _is_open(gathered)
        if continues:
            gathered += "\n" + line
            continue
        if gathered:
            yield gathered
        gathered = "" if line.startswith("#") or not line.strip() else line
    if gathered:
        yield gathered
