"""Fuzzes a running stack: python -m tests.harness.fuzzing API_ADDRESS SERVE_ADDRESS REQUESTS SEED [page]."""

from __future__ import annotations

import sys

from tests.harness.fuzzing.client import SILENT, Statuses, fuzz, table
from tests.harness.fuzzing.report import render, write
from tests.harness.fuzzing.requests import API, SERVE, Request


def main(api: str, serve: str, count: str, seed: str, page: str = "") -> int:
    """Send half of them to each server; return 1 if one failed; with `page`, write docs/fuzzing.md."""
    failed: list[Request] = []
    runs: dict[str, Statuses] = {}
    for address, paths in ((api, API), (serve, SERVE)):
        host, _, port = address.rpartition(":")
        statuses, failures = fuzz(host, int(port), paths, int(count) // 2, int(seed))
        failed += failures
        runs[{api: "Port 8000: api", serve: "Port 5000: model-serve"}[address]] = statuses
        print(f"\n{address}, seed {seed}\n{table(statuses)}")
    for request in failed[:20]:
        print(f"\nfailed: {request.content[:2000]!r}")
    if page:
        write(render(runs, seed, len(failed)))
    print(f"\n{len(failed)} requests failed: 5xx, or no answer for 20 s (status {SILENT})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
