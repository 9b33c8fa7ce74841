"""A DNS server that answers every question with NXDOMAIN, as for names that only Docker knows.

python3 nxdomain.py ADDRESS
"""

from __future__ import annotations

import socket
import sys

_HEADER = 12  # bytes: id, flags, four counts (RFC 1035, section 4.1.1)
_TYPE_AND_CLASS = 4
_NXDOMAIN = b"\x81\x83"  # a response, recursion desired and available, code 3


def answer(query: bytes) -> bytes:
    """Return the refusal of a query with one question."""
    end = query.index(b"\0", _HEADER) + 1 + _TYPE_AND_CLASS
    return query[:2] + _NXDOMAIN + query[4:6] + bytes(6) + query[_HEADER:end]


def main() -> None:
    """Answer until the process is ended."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    while True:
        query, client = server.recvfrom(4096)
        server.sendto(answer(query), client)


if __name__ == "__main__":
    main()
