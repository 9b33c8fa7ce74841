"""Slimming of installed packages: smaller, and they still work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from images.slim import (
    compile_sources,
    link_duplicates,
    matches,
    shared_libraries,
    strip,
    without_debug_symbols,
)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with a copy of a package that has a shared library."""
    source = Path(msgspec.__file__).parent
    shutil.copytree(source, tmp_path / "msgspec", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _imported(packages: Path, script: str) -> str:
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(packages)!r}); {script}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_library_without_debug_symbols_still_loads(packages: Path) -> None:
    library = next(shared_libraries(packages))
    with library.open("ab") as file:
        file.write(bytes(100_000))  # where symbols lie: behind the last segment
    before = library.stat().st_size

    strip(packages)

    assert library.stat().st_size <= before - 100_000
    assert _imported(packages, "import msgspec; print(msgspec.json.decode(b'[1]'), msgspec.__file__)") == (
        f"[1] {packages}/msgspec/__init__.py"
    )


@pytest.mark.parametrize("content", [b"", b"GROUP ( libm.so.6 )", b"\x7fELF\x01\x01" + bytes(100)])
def test_what_is_no_library_of_this_machine_stays_as_it_is(content: bytes) -> None:
    assert without_debug_symbols(content) == content


def test_stripping_twice_writes_nothing_the_second_time(packages: Path) -> None:
    strip(packages)
    before = {path: path.stat().st_mtime_ns for path in shared_libraries(packages)}

    strip(packages)

    assert {path: path.stat().st_mtime_ns for path in shared_libraries(packages)} == before


def test_bytecode_alone_can_be_imported_and_its_tracebacks_name_file_line_and_function(
    packages: Path,
) -> None:
    (packages / "example.py").write_text("def divide(x):\n    return 1 / x\n")

    compile_sources(packages)

    assert list(packages.rglob("*.py")) == []
    with pytest.raises(subprocess.CalledProcessError) as failed:
        _imported(packages, "import example; example.divide(0)")
    assert f'File "{packages}/example.py", line 2, in divide' in failed.value.stderr


def test_the_same_library_twice_becomes_one_file(tmp_path: Path) -> None:
    for folder, content in (("a", b"same"), ("b", b"same"), ("c", b"other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "libx.so.1").write_bytes(content)

    link_duplicates(tmp_path)

    one, two, three = (tmp_path / folder / "libx.so.1" for folder in "abc")
    assert one.samefile(two)
    assert not one.samefile(three)
    assert three.read_bytes() == b"other"


def test_metadata_matches_no_pattern(tmp_path: Path) -> None:
    for folder in ("x-1.0.dist-info", "x"):
        (tmp_path / folder / "tests").mkdir(parents=True)

    assert matches(tmp_path, "**/tests") == [tmp_path / "x" / "tests"]
