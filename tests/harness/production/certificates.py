"""Pairs of certificate and key for localhost, good ones and one that has expired."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.harness.production.external_stores import run

_AUTHORITY = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = policy
[policy]
commonName = supplied
"""


def write_certificate(tls: Path) -> None:
    """Write a new pair into a folder, good for a day."""
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(tls / "tls.key"), "-out", str(tls / "tls.crt"))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files)
    (tls / "tls.key").chmod(0o644)


def write_expired_certificate(tls: Path) -> None:
    """Write a pair that was good for one day in 2020."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config").write_text(_AUTHORITY.format(folder=folder))
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01\n")
        key, request = str(tls / "tls.key"), str(folder / "request")
        new_key = ("-newkey", "rsa:2048", "-nodes", "-keyout", key)
        run("openssl", "req", *new_key, "-subj", "/CN=localhost", "-out", request)
        dates = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
        signed = ("-selfsign", "-keyfile", key, "-in", request, "-out", str(tls / "tls.crt"), "-notext")
        run("openssl", "ca", "-batch", "-config", str(folder / "config"), *signed, *dates)
    (tls / "tls.key").chmod(0o644)
