"""nginx's configuration for the benchmarks: the shipped files with other addresses and folders."""

from __future__ import annotations

import re
from pathlib import Path

from bench.stores import ROOT


class ConfigurationChanged(RuntimeError):
    """nginx/nginx.conf no longer has a line that the benchmark must replace."""


def write_configuration(directory: Path, listen: int, api: int) -> Path:
    """Write the configuration into `directory`: requests to port `listen` go to the api on port `api`."""
    text = (ROOT / "nginx" / "nginx.conf").read_text()
    for old, new in {
        "/tmp/": f"{directory}/",  # noqa: S108 the container's; first, because our folder may be below /tmp
        "listen 8000;": f"listen 127.0.0.1:{listen};",
        "server api:8000 resolve ": f"server 127.0.0.1:{api} ",  # Debian's nginx is too old for `resolve`
        "server model-serve:5000 resolve ": "server 127.0.0.1:9 ",  # no request goes there
        "worker_rlimit_nofile 9000;": "",  # what the machine allows
        "listen 5000;": f"listen unix:{directory}/unused-5000.socket;",
        "listen 8080;": f"listen unix:{directory}/unused-8080.socket;",
        "/etc/nginx/": f"{ROOT}/nginx/",
    }.items():
        if old not in text:
            raise ConfigurationChanged(f"nginx/nginx.conf has no {old!r}: adapt bench/front_door.py")
        text = text.replace(old, new)
    path = directory / "nginx.conf"
    path.write_text(text)
    (directory / "nginx").mkdir()
    (directory / "nginx" / "limits.conf").write_text(_limits())
    return path


def _limits() -> str:
    """Return limits.conf.template with the settings of .env, as the image's entrypoint would make it."""
    lines = (ROOT / ".env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    template = (ROOT / "nginx" / "limits.conf.template").read_text()
    return re.sub(r"\$\{([A-Z_]+)\}", lambda found: values[found[1]], template)
