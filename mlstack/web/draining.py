"""Stops listening without resetting established connections.

Closing a listening socket resets the connections in its backlog, and another one may arrive between the last
accept and the close.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from contextlib import suppress

HANDSHAKE_SECONDS = 0.02  # a TCP handshake takes one round trip, here within one network
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h; not in Python's socket module
# A program of the classic BSD packet filter (linux/filter.h), which is run on each segment sent to a socket
_DROP_SYN = (
    (0x30, 0, 0, 13),  # load byte 13 of the segment: the flags (RFC 9293, section 3.1)
    (0x45, 0, 1, 0x02),  # unless SYN is among them, skip one instruction
    (0x06, 0, 0, 0),  # keep nothing of the segment
    (0x06, 0, 0, 0xFFFFFFFF),  # keep all of it
)


def ignore_new_connections(listener: int) -> bool:
    """Make the kernel drop new connection attempts (SYN) to the listening socket of this descriptor.

    Handshakes in progress end within HANDSHAKE_SECONDS; then the backlog can be accepted and the socket
    closed. A client whose SYN was dropped sends it again a second later, and is refused. Return False where
    this user may attach no filter.
    """
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in _DROP_SYN))
    program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(instructions))
    with socket.socket(fileno=os.dup(listener)) as same, suppress(OSError):  # not every sandbox has filters
        same.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        return True
    return False
