"""Ends listening without a reset for anybody who has connected.

Closing a listening socket resets the connections in its backlog, and however closely one looks, one
more may arrive between the last look and the close.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from contextlib import suppress

HANDSHAKE_SECONDS = 0.02  # a handshake is one round trip, within one network
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python does not name it
# A program of the classic BSD packet filter (linux/filter.h), which sees the segments that come for a socket
_DROP_SYN = (
    (0x30, 0, 0, 13),  # load byte 13 of the segment: the flags (RFC 9293, section 3.1)
    (0x45, 0, 1, 0x02),  # unless SYN is among them, skip one instruction
    (0x06, 0, 0, 0),  # keep nothing of the segment
    (0x06, 0, 0, 0xFFFFFFFF),  # keep all of it
)


def ignore_new_connections(listener: int) -> None:
    """Let the kernel drop what would begin a connection to the listening socket of this descriptor.

    Handshakes that have begun end within HANDSHAKE_SECONDS; after those the backlog can be emptied
    and the socket closed. Who tried to connect meanwhile tries again a second later, and is refused.
    """
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in _DROP_SYN))
    program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(instructions))
    with socket.socket(fileno=os.dup(listener)) as same, suppress(OSError):  # not every sandbox has filters
        same.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
