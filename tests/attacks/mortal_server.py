"""A server that a request for /lethal ends in the middle of it, as one would that takes all its memory."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Keeps connections, as the servers do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, or die."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/lethal":
            print("received the lethal request", flush=True)
            os._exit(137)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
