"""A DNS server as a container's is: it knows the services that run, and may stay silent on other names."""

from __future__ import annotations

import secrets
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_PORT = 53  # a resolv.conf can name no other
_HEADER, _ADDRESS, _ANSWERED, _NAME_UNKNOWN = 12, 1, 0x8180, 0x8183
_POINTER_TO_NAME, _INTERNET, _SECONDS = 0xC00C, 1, 0


class NameServer:
    """Answers 127.0.0.1 for `known` names, and nothing at all for others unless it `denies` them."""

    def __init__(self, listening: socket.socket, resolver: Path) -> None:
        self.known: set[str] = set()
        self.denies = False
        self.asked: list[str] = []
        self._listening = listening
        self._resolver = resolver
        self._ended = threading.Event()

    @property
    def prefix(self) -> list[str]:
        """What to put before a command, so that it asks this server; the rest of the machine does not."""
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, str(self._resolver)]

    def serve(self) -> None:
        """Answer until `end` is called."""
        self._listening.settimeout(0.2)
        while not self._ended.is_set():
            with suppress(TimeoutError):
                self._answer_one(*self._listening.recvfrom(512))

    def end(self) -> None:
        """Let `serve` return."""
        self._ended.set()

    def _answer_one(self, query: bytes, client: tuple[str, int]) -> None:
        name, kind, question = _parse(query)
        self.asked.append(name)
        if name in self.known:
            self._listening.sendto(_answer(query[:2], question, kind), client)
        elif self.denies:
            self._listening.sendto(_reply(query[:2], _NAME_UNKNOWN, 0) + question, client)


@contextmanager
def name_server(directory: Path) -> Iterator[NameServer]:
    """Run one on a loopback address of its own; skip the test where that is not allowed."""
    address = f"127.{secrets.randbelow(250) + 1}.{secrets.randbelow(250) + 1}.53"
    resolver = directory / "resolv.conf"
    resolver.write_text(f"nameserver {address}\noptions ndots:0\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        try:
            listening.bind((address, _PORT))
        except PermissionError:
            pytest.skip("a DNS server's port needs root")
        server = NameServer(listening, resolver)
        if (
            shutil.which("unshare") is None
            or subprocess.run([*server.prefix, "true"], check=False).returncode
        ):
            pytest.skip("a process cannot be given a resolv.conf of its own here")
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield server
        finally:
            server.end()
            thread.join()


def _parse(query: bytes) -> tuple[str, int, bytes]:
    """Return the name, the record's type and the bytes of the one question."""
    labels, at = [], _HEADER
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    end = at + 5
    kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
    return ".".join(labels), kind, query[_HEADER:end]


def _reply(number: bytes, flags: int, answers: int) -> bytes:
    return number + struct.pack("!HHHHH", flags, 1, answers, 0, 0)


def _answer(number: bytes, question: bytes, kind: int) -> bytes:
    if kind != _ADDRESS:
        return _reply(number, _ANSWERED, 0) + question
    record = struct.pack("!HHHIH", _POINTER_TO_NAME, _ADDRESS, _INTERNET, _SECONDS, 4)
    return _reply(number, _ANSWERED, 1) + question + record + socket.inet_aton("127.0.0.1")
