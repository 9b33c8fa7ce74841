"""Removes from installed packages what the images do not need: python slim.py SITE-PACKAGES.

- files and folders that match a pattern of left-out.txt
- what lies behind the last segment of a shared library, which the loader never reads: symbols for debuggers
- sources, replaced by their bytecode: tracebacks through packages still name file, line and function
- second copies of the same library, which become hard links

Metadata and licences (*.dist-info) stay as they are. docs/decisions/0016-slim-images.md gives the reasons.
"""

from __future__ import annotations

import compileall
import shutil
import struct
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

_PATTERNS = Path(__file__).with_name("left-out.txt")
_ELF_64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")  # type, flags, offset, address, address, size in the file, …


def patterns() -> list[str]:
    """Return the patterns of left-out.txt."""
    lines = _PATTERNS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def matches(packages: Path, pattern: str) -> list[Path]:
    """Return the files and folders below `packages` that match `pattern`; metadata is never among them."""
    found = packages.glob(pattern)
    return [path for path in found if not path.relative_to(packages).parts[0].endswith(".dist-info")]


def remove(packages: Path) -> None:
    """Remove what matches a pattern."""
    for pattern in patterns():
        for path in matches(packages, pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def without_debug_symbols(library: bytes) -> bytes:
    """Return a shared library up to the end of its last segment, without the table of its sections.

    https://refspecs.linuxfoundation.org/elf/elf.pdf (chapter 1)
    """
    if not library.startswith(_ELF_64_LITTLE_ENDIAN):
        return library
    (table,) = struct.unpack_from("<Q", library, 0x20)
    size, count = struct.unpack_from("<HH", library, 0x36)
    segments = [_PROGRAM_HEADER.unpack_from(library, table + size * i) for i in range(count)]
    end = max(table + size * count, *(segment[2] + segment[5] for segment in segments))
    header = bytearray(library[:end])
    header[0x28:0x30] = bytes(8)  # offset of the section table
    header[0x3C:0x40] = bytes(4)  # number of sections, and which of them holds their names
    return bytes(header)


def shared_libraries(packages: Path) -> Iterator[Path]:
    """Yield every shared library below `packages`."""
    for path in sorted(packages.rglob("*.so*")):
        if path.is_file() and not path.is_symlink():
            yield path


def strip(packages: Path) -> None:
    """Cut debug symbols off; leave files alone that have none, because they may lie in a lower layer."""
    for path in shared_libraries(packages):
        library = path.read_bytes()
        stripped = without_debug_symbols(library)
        if len(stripped) < len(library):
            path.write_bytes(stripped)


def link_duplicates(packages: Path) -> None:
    """Make libraries of the same name and content one file with several names."""
    first: dict[tuple[str, bytes], Path] = {}
    for path in shared_libraries(packages):
        kept = first.setdefault((path.name, sha256(path.read_bytes()).digest()), path)
        if not kept.samefile(path):
            path.unlink()
            path.hardlink_to(kept)


def compile_sources(packages: Path) -> None:
    """Replace Python sources by bytecode; raise SystemExit if one cannot be compiled."""
    if not compileall.compile_dir(packages, quiet=1, legacy=True, workers=0, maxlevels=30):
        sys.exit("a source cannot be compiled")
    for path in packages.rglob("*.py"):
        path.unlink()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    remove(folder)
    strip(folder)
    link_duplicates(folder)
    compile_sources(folder)
