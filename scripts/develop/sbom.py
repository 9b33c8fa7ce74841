"""Writes a software bill of materials for each image, CycloneDX: build/sbom/IMAGE.json (make sbom).

With arguments only for these images.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "sbom"
# Prints kind, name and version of everything that a package manager has put into the image.
_LIST = """
. /etc/os-release
if command -v dpkg-query >/dev/null; then
    dpkg-query --show --showformat "deb/$ID\\t\\${Package}\\t\\${Version}\\n"
elif [ -r /lib/apk/db/installed ]; then
    sed -n "s/^P://p; s/^V://p" /lib/apk/db/installed | while read -r name && read -r version; do
        printf 'apk/%s\\t%s\\t%s\\n' "$ID" "$name" "$version"
    done
fi
! command -v python >/dev/null || python -c "
from importlib.metadata import distributions
for found in distributions():
    print('pypi', found.name, found.version, sep='\\t')"
"""


def images(chosen: list[str]) -> dict[str, str]:
    """Return the names of the images by their ids; of all if none is `chosen`."""
    listed = chosen or _run("docker", "compose", "--profile", "*", "config", "--images").split()
    names = {name: _run("docker", "image", "inspect", "--format", "{{.Id}}", name).strip() for name in listed}
    return {identity: name for name, identity in sorted(names.items(), reverse=True)}


def packages(image: str) -> Iterator[PackageURL]:
    """Ask the image itself."""
    command = ("docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", _LIST)
    for line in sorted(set(_run(*command).splitlines())):
        kind, name, version = line.split("\t")
        system, _, distribution = kind.partition("/")
        yield PackageURL(type=system, namespace=distribution or None, name=name, version=version)


def describe(image: str, found: list[PackageURL]) -> Bom:
    """Return the bill of an image that holds these packages."""
    bom = Bom()
    bom.metadata.component = Component(name=image, type=ComponentType.CONTAINER)
    for package in found:
        bom.components.add(
            Component(
                name=package.name,
                version=package.version,
                purl=package,
                bom_ref=str(package),
                type=ComponentType.LIBRARY,
            )
        )
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


def main() -> None:
    """Write them all; print a line for each."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for identity, name in images(sys.argv[1:]).items():
        found = list(packages(identity))
        path = FOLDER / (name.replace("/", "-").replace(":", "-") + ".json")
        content = json.loads(JsonV1Dot6(describe(name, found)).output_as_string())
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        print(f"{len(found):5} packages  {path.relative_to(ROOT)}")


def _run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
