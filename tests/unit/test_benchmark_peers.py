"""The benchmark of other servers: a wrong prediction ends it, and its table says what was not measured."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.load import LoadFailed, Seen
from bench.peer_answers import answers, verify
from bench.peer_results import OUR_API, Found, Missing, PeerRun, describe
from bench.peer_servers import FEATURES, PEERS, Asked

_ASKED = Asked("/predict", FEATURES, lambda answer: float(answer["prediction"]))


@contextmanager
def _server(predict: Callable[[float], float], status: int = 200) -> Iterator[int]:
    """Serve `predict` on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            (x,) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["features"]
            body = json.dumps({"prediction": predict(x)}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def _line(x: float) -> float:
    return 2 * x + 1


def test_right_predictions_are_counted() -> None:
    with _server(_line) as port:
        assert answers(port, _ASKED)
        assert verify(port, _ASKED, _line) == 400


def test_predictions_of_another_request_are_noticed() -> None:
    last = [15.0]

    def mixed(x: float) -> float:
        before, last[0] = last[0], x
        return _line(before)

    with _server(mixed) as port, pytest.raises(LoadFailed, match=r"predicts .*, expected"):
        verify(port, _ASKED, _line)


def test_a_refusal_is_no_prediction() -> None:
    with _server(_line, status=503) as port:
        assert not answers(port, _ASKED)
        with pytest.raises(LoadFailed, match="answered 503"):
            verify(port, _ASKED, _line)


def test_each_server_is_sent_a_number_and_reads_its_answer() -> None:
    replies = {
        "mlserver": {"outputs": [{"data": [3.5]}]},
        "bentoml": [3.5],
        "litserve": {"prediction": 3.5},
    }

    for peer in PEERS:
        assert "1.25" in json.dumps(json.loads(peer.asked.body % 1.25))
        assert peer.asked.read(replies[peer.package]) == 3.5
    assert {peer.package for peer in PEERS} == set(replies)


def test_the_table_relates_rates_to_the_reference_and_names_what_is_missing() -> None:
    seen = Seen(2000, 0, 0, 0, seconds=2.0, p50=0.004, p99=0.009)
    half = Seen(1000, 0, 0, 0, seconds=2.0, p50=0.008, p99=0.02)
    found: Found = [
        PeerRun(OUR_API, "as shipped", "", (1900.0, 2100.0), seen, 1.0, seen),
        PeerRun("Other", "default", "Other 1.0", (900.0, 1100.0), half, 2.0, half),
        Missing("Third", "default", "Third cannot be installed: no wheel"),
    ]

    lines = describe(found).splitlines()

    assert "| **our api** | as shipped | 1,000 | 0.500 | 1.0 × | 4.00 / 9.00 | 4.00 | 0.500 |" in lines
    assert "| Other | default | 500 | 0.500 | 1.0 × | 8.00 / 20.00 | 8.00 | 2.000 |" in lines
    assert "| Third | default | not measured | – | – | – | – | – |" in lines
    assert lines[-3:] == ["Other 1.0.", "", "Not measured: Third cannot be installed: no wheel."]
