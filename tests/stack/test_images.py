"""What is in the images that were built."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.harness.repository import read
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack, settings

_OURS = ("model-serve", "api")  # one of each Dockerfile
_USE_EVERYTHING = read("tests/harness/stack/use_everything.py")
_TEMPLATES = ("page.html", "report.html", "table.html")  # Jinja's, beside the modules that fill them
_PAGE = tuple(path.name for path in (ROOT / "api" / "page" / "files").iterdir())  # for browsers
_TEST_TOOLS = ("pytest", "mypy", "ruff", "hypothesis", "schemathesis", "playwright", "httpx")


@pytest.mark.parametrize("service", _OURS)
def test_no_secret_is_in_an_image(stack: Stack, service: str) -> None:
    secrets = {value for name, value in settings().items() if name.endswith("_PASSWORD")} - {"postgres"}
    image = _image(stack, service)

    told = _docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image) + _docker("inspect", image)

    assert not [secret for secret in secrets if secret in told]
    environment = json.loads(_docker("inspect", image))[0]["Config"]["Env"]
    assert not [line for line in environment if "PASSWORD" in line or "SECRET" in line or "://" in line]


@pytest.mark.parametrize("service", _OURS)
def test_image_holds_our_code_and_nothing_else_of_ours(stack: Stack, service: str) -> None:
    listed = _in_image(stack, service, "cd /app && find . -type f -not -name '*.pyc'").split()

    others = {name.rpartition("/")[2] for name in listed if not name.endswith(".py")}
    assert others <= {"Dockerfile", "requirements.txt", "requirements.lock", *_TEMPLATES, *_PAGE}
    assert not [name for name in listed if "/test" in name]


@pytest.mark.parametrize("service", _OURS)
def test_image_holds_no_test_tools_and_no_installer(stack: Stack, service: str) -> None:
    packages = _in_image(stack, service, "ls /opt/venv/lib/python3*/site-packages").split()

    assert "numpy" in packages
    assert not {*_TEST_TOOLS, "pip", "uv"} & set(packages)
    assert not {"xgboost", "lightgbm"} & set(packages)  # only where custom/requirements.txt names them


@pytest.mark.parametrize("service", _OURS)
def test_nothing_that_is_used_was_left_out_of_an_image(stack: Stack, service: str) -> None:
    command = [
        "docker",
        "run",
        "--rm",
        "-i",
        "--network",
        "none",
        _image(stack, service),
        "python",
        "-W",
        "ignore",
        "-",
    ]

    done = subprocess.run(command, input=_USE_EVERYTHING, check=True, capture_output=True, text=True)

    assert done.stdout.splitlines() == []


def test_the_packages_of_an_image_fit_each_other(stack: Stack) -> None:
    for service in _OURS:
        assert "No broken requirements" in _in_image(
            stack, service, "pip --no-cache-dir --python /opt/venv/bin/python check"
        )


def test_both_images_have_the_layer_of_common_packages(stack: Stack) -> None:
    step, api = (_layers(_image(stack, service)) for service in _OURS)
    base = _layers(read("Dockerfile").partition("FROM ")[2].split()[0])
    shared = len(base) + 2  # the folder images/, and the packages that both import

    assert step[:shared] == api[:shared]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_a_documentation_page_has_the_files_it_loads(stack: Stack, page: str) -> None:
    loaded = re.findall(r'(?:src|href)="(/[^"]+)"', stack.api.get(page).text)

    assert loaded
    assert {path: stack.api.get(path).status_code for path in loaded} == dict.fromkeys(loaded, 200)


@pytest.mark.parametrize("service", _OURS)
def test_a_server_can_write_to_tmp_only(stack: Stack, service: str) -> None:
    tried = "id -u; for place in / /app /opt/venv /models /tmp; do touch $place/x && echo $place; done; true"

    lines = stack.compose("exec", "-T", service, "sh", "-c", tried).stdout.split()

    assert lines == ["10001", "/tmp"]  # noqa: S108


def _image(stack: Stack, service: str) -> str:
    """Return the image that runs; a name may lead to one that an earlier Compose file has left."""
    return str(stack.container(service).inspected["Image"])


def _layers(image: str) -> list[str]:
    return list(json.loads(_docker("image", "inspect", image))[0]["RootFS"]["Layers"])


def _in_image(stack: Stack, service: str, script: str) -> str:
    image = _image(stack, service)
    return _docker("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", script)


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return done.stdout
