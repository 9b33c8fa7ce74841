"""Random HTTP requests: known paths and near misses, any method, odd headers, framed in every allowed way."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from tests.harness.fuzzing import truths, values

_VERSIONS = [
    "/v2/models/model",
    "/v2/models/model/versions/1",
    "/v2/models/x",
    "/v2/models/model/versions/99999",
]
API = [ "/", "/predict", "/jobs", "/jobs/01890a5d-ac96-774b-bcce-b302099a8057", "/health", "/livez",
    "/readyz", "/metrics", "/docs", "/openapi.json", "/v2", "/v2/health/live", "/v2/health/ready",
    "/v1/models", "/v1/models/model", "/v1/models/x", "/v1/models/model:predict", "/v1/models/x:predict",
    "/invocations", "/ping", "/version", "/feedback", "/models/compare", "/page/state", "/page/model",
    "/page/page.js", "/page/x", "/page/drift", "/page/versions/1/report", "/page/versions/99999/report",
    "/v2/repository/index", "/v2/repository/models/model/load", "/v2/repository/models/model/unload",
    *_VERSIONS, *[f"{version}/infer" for version in _VERSIONS],
    *[f"{version}/ready" for version in _VERSIONS],
]  # fmt: skip
SERVE = ["/", "/predict", "/data/sample", "/health", "/livez", "/readyz", "/metrics"]
_ENDS = [
    "%0a", "%00", "%0d%0a", "%20", "/", "//", "/..", "/%2e%2e/predict", ";x", "?", "?wait=1", "?limit=1e9",
    "?%00=%ff", "?wait=" + "9" * 5000, "?limit=" + "9" * 5000, "%", "%zz", "%ff", "%f0%9f%8d%80", "%c0%af",
    "#x", "a" * 3000, "?version=1", "?version=2", "?version=-1", "?version=" + "9" * 5000,
    "?version=1&version=2",
]  # fmt: skip
_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST"]
_NAMES = [
    "X-Request-ID", "X-Idempotency-Key", "Idempotency-Key", "Inference-Header-Content-Length", "Accept",
    "Accept-Encoding", "Content-Encoding", "Authorization", "X-API-Key", "X-Forwarded-For", "Range",
    "If-Match", "Expect", "Upgrade", "Origin", "User-Agent", "X", "Cookie",
]  # fmt: skip
_VALUES = [
    "", "0", "-1", "1" * 5000, "9" * 20, "1.5", "5", "1700000000.000-" + "0" * 32, "h2c", "1_0", "0x10",
    "\t", "99999999999.999-" + "f" * 32, "a" * 7000, "\xff", "gzip", "bytes=0-1", "*", "<script>", "'",
    "\xc3\xbc",
]  # fmt: skip
_ODD_TYPES = ["text/plain", "", "application/json; charset=utf-16", "x" * 500, "multipart/form-data"]
_TYPES = ["application/json"] * 12 + _ODD_TYPES
_CSV = {"/feedback": truths.as_csv, "/invocations": values.as_csv}
_CHUNK = 4096


class Request(NamedTuple):
    """What is sent, and the path that it is counted under."""

    path: str
    method: str
    content: bytes


def any_request(random: Random, paths: list[str]) -> Request:
    """Return a request that a server must answer, however it likes, but not with a failure."""
    path = random.choice(paths)
    posts = path in {"/predict", "/jobs", *_CSV} or path.endswith(("/infer", ":predict"))
    method = "POST" if posts and random.random() < 0.9 else random.choice(_METHODS)
    target = path if random.random() < 0.7 else path + random.choice(_ENDS)
    body, headers = _body(random, path) if method in {"POST", "PUT", "PATCH", "DELETE"} else (b"", [])
    if not any(header.startswith("Content-Type") for header in headers):
        headers.append(f"Content-Type: {random.choice(_TYPES)}")
    while random.random() < 0.35:
        headers.append(f"{random.choice(_NAMES)}: {random.choice(_VALUES)}")
    random.shuffle(headers)
    framing, framed = _framed(random, body)
    lines = [f"{method} {target} HTTP/1.1", "Host: fuzz", *headers, *framing, "", ""]
    return Request(path, method, "\r\n".join(lines).encode("latin-1") + framed)


def _body(random: Random, path: str) -> tuple[bytes, list[str]]:
    """Return a body, and the headers that go with it."""
    headers: list[str] = []
    if path.endswith("/infer"):
        head, binary = values.inference(random)
        length = random.choice([len(head)] * 4 + [len(head) + 1, 0, 5])
        if binary or random.random() < 0.2:
            headers.append(f"Inference-Header-Content-Length: {length}")
        body = head + binary
    elif path in _CSV and random.random() < 0.3:
        headers.append("Content-Type: text/csv")
        body = _CSV[path](random)
    elif path == "/feedback":
        body = truths.as_json(random)
    else:
        body = values.prediction(random)
    return (values.damaged(random, body) if random.random() < 0.3 else body), headers


def _framed(random: Random, body: bytes) -> tuple[list[str], bytes]:
    """Return the header that says how long the body is, and the body as it is sent."""
    if not body or random.random() < 0.8:
        return [f"Content-Length: {len(body)}"], body
    size = random.choice([1, 7, _CHUNK]) if len(body) < _CHUNK else _CHUNK
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return ["Transfer-Encoding: chunked"], chunks + b"0\r\n\r\n"
