"""The checks of the CIS Docker Benchmark, chapters 4 and 5, that inspect data and /proc can answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.harness.stack.containers import Container

Check = Callable[[dict[str, Any]], bool]
_NO_HEALTHCHECK = {"nginx-exporter"}  # its image holds this one program; an alert watches it


def _host(inspected: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = inspected["HostConfig"]
    return found


def _sources(inspected: dict[str, Any]) -> list[str]:
    return [str(mount.get("Source", "")) for mount in inspected["Mounts"]]


def _service(inspected: dict[str, Any]) -> str:
    return str(inspected["Config"]["Labels"]["com.docker.compose.service"])


def _writable_binds(inspected: dict[str, Any]) -> list[str]:
    return [mount["Source"] for mount in inspected["Mounts"] if mount["Type"] == "bind" and mount["RW"]]


def _published(inspected: dict[str, Any]) -> list[dict[str, str]]:
    return [port for ports in (_host(inspected)["PortBindings"] or {}).values() for port in ports or []]


def _is_published_well(inspected: dict[str, Any]) -> bool:
    return _service(inspected) == "nginx" or all(
        port["HostIp"] == "127.0.0.1" for port in _published(inspected)
    )


def _weakened(inspected: dict[str, Any], module: str) -> list[str]:
    """Return the options that turn off or replace what a security module does by default."""
    return [option for option in _host(inspected)["SecurityOpt"] if option.startswith(module)]


CHECKS: dict[str, Check] = {
    "4.1 a user that is not root": lambda i: i["Config"]["User"].partition(":")[0] not in {"", "0", "root"},
    "4.6 a health check": lambda i: bool(i["Config"].get("Healthcheck")) or _service(i) in _NO_HEALTHCHECK,
    "5.2 no way round AppArmor": lambda i: not _weakened(i, "apparmor"),
    "5.3 no way round SELinux": lambda i: not _weakened(i, "label"),
    "5.4 no capabilities": lambda i: _host(i)["CapDrop"] == ["ALL"] and not _host(i)["CapAdd"],
    "5.5 not privileged": lambda i: not _host(i)["Privileged"],
    "5.6 no folder of the host is writable": lambda i: not _writable_binds(i),
    "5.8 no privileged port of the host": lambda i: all(
        int(port["HostPort"] or 0) not in range(1, 1024) for port in _published(i)
    ),
    "5.10 no network of the host": lambda i: _host(i)["NetworkMode"] != "host",
    "5.11 a limit of memory": lambda i: _host(i)["Memory"] > 0,
    "5.13 a root that is read-only": lambda i: _host(i)["ReadonlyRootfs"],
    "5.14 ports on loopback but for the front door's": _is_published_well,
    "5.16 no processes of the host": lambda i: _host(i)["PidMode"] != "host",
    "5.17 no shared memory of the host": lambda i: _host(i)["IpcMode"] != "host",
    "5.18 no devices of the host": lambda i: not _host(i)["Devices"],
    "5.19 no ulimit over the engine's": lambda i: not _host(i)["Ulimits"],
    "5.20 no mount is shared": lambda i: all(
        m.get("Propagation") not in {"shared", "rshared"} for m in i["Mounts"]
    ),
    "5.21 no UTS namespace of the host": lambda i: _host(i)["UTSMode"] != "host",
    "5.22 the default seccomp profile": lambda i: "seccomp=unconfined" not in _host(i)["SecurityOpt"],
    "5.25 the engine's own cgroup": lambda i: not _host(i)["CgroupParent"],
    "5.26 no new privileges": lambda i: "no-new-privileges:true" in _host(i)["SecurityOpt"],
    "5.29 a limit of processes": lambda i: 0 < (_host(i)["PidsLimit"] or 0) <= 256,
    "5.30 not the engine's default network": lambda i: (
        _host(i)["NetworkMode"] not in {"bridge", "default"}
        and "bridge" not in i["NetworkSettings"]["Networks"]
    ),
    "5.31 no user namespace of the host": lambda i: _host(i)["UsernsMode"] != "host",
    "5.32 no socket of the engine": lambda i: (
        not [source for source in _sources(i) if "docker.sock" in source]
    ),
}


def status(container: Container) -> dict[str, str]:
    """Return what the kernel says of the container's first process: /proc/PID/status."""
    lines = (
        Path(f"/proc/{container.inspected['State']['Pid']}/status").read_text(encoding="utf-8").splitlines()
    )
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def privileges(container: Container) -> dict[str, str]:
    """Return what the kernel lets the first process do, and what it could gain."""
    found = status(container)
    return {name: found[name] for name in ("CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")}


NONE = {"CapEff": "0" * 16, "CapBnd": "0" * 16, "CapAmb": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}


def writable(container: Container) -> set[str]:
    """Return the mount points that the container's processes may write to, but for the kernel's own."""
    mounts = (
        Path(f"/proc/{container.inspected['State']['Pid']}/mounts").read_text(encoding="utf-8").splitlines()
    )
    rows = [line.split() for line in mounts]
    return {
        place for _, place, _, options, *_ in rows if "rw" in options.split(",") and not _is_kernels(place)
    }


def _is_kernels(place: str) -> bool:
    return place.startswith(("/proc", "/dev", "/sys"))


def declared_writable(container: Container) -> set[str]:
    """Return what the Compose file lets it write to: tmpfs and volumes that are not read-only."""
    volumes = {
        str(m["Destination"]) for m in container.inspected["Mounts"] if m["Type"] == "volume" and m["RW"]
    }
    places = volumes | set(_host(container.inspected).get("Tmpfs") or {})
    return {place.replace("/var/run/", "/run/") for place in places}  # a link in every image
