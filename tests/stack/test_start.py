"""What a start that went well leaves in the logs."""

from __future__ import annotations

import re

from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until

_OWN = re.compile(r"\[(warn|error|crit|alert|emerg)\] \d+#\d+: (?!\*)")  # `*7` is the number of a connection


def test_nginx_logs_no_error_of_its_own_while_replicas_start(stack: Stack) -> None:
    def log() -> str:
        return stack.compose("logs", "--no-log-prefix", "--no-color", "nginx").stdout

    stack.api.get("/livez")
    wait_until(lambda: '"service":"nginx"' in log(), 10, "the request in nginx's log")

    assert [line for line in log().splitlines() if _OWN.search(line)] == []
