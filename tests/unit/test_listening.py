"""The end of listening, for clients that connect before, during and after it."""

from __future__ import annotations

import socket

import pytest

from mlstack.web.draining import ignore_new_connections


def test_who_has_connected_is_served_and_nobody_else_gets_in() -> None:
    """A connection in the backlog is not reset; later attempts are ignored, then refused."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        client = socket.create_connection(address, timeout=5)

        if not ignore_new_connections(listener.fileno()):
            client.close()
            pytest.skip("this user may attach no filter to a socket here")

        with pytest.raises(TimeoutError):
            socket.create_connection(address, timeout=0.3)
        server, _ = listener.accept()

    with client, server:
        client.sendall(b"a question")
        assert server.recv(100) == b"a question"
        server.sendall(b"an answer")
        assert client.recv(100) == b"an answer"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
