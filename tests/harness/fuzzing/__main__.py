"""Fuzzes a running stack: python -m tests.harness.fuzzing API_ADDRESS SERVE_ADDRESS REQUESTS SEED."""

from __future__ import annotations

import sys

from tests.harness.fuzzing.client import SILENT, fuzz, table
from tests.harness.fuzzing.requests import API, SERVE, Request


def main(api: str, serve: str, count: str, seed: str) -> int:
    """Send half of the requests to each server; return 1 if one failed."""
    failed: list[Request] = []
    for address, paths in ((api, API), (serve, SERVE)):
        host, _, port = address.rpartition(":")
        statuses, failures = fuzz(host, int(port), paths, int(count) // 2, int(seed))
        failed += failures
        print(f"\n{address}, seed {seed}\n{table(statuses)}")
    for request in failed[:20]:
        print(f"\nfailed: {request.content[:2000]!r}")
    print(f"\n{len(failed)} requests failed: 5xx, or no answer for 20 s (status {SILENT})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
