"""The options of sockets: those of a listener go over to what it accepts."""

from __future__ import annotations

import socket
import sys

NOTSENT_LOWAT = 32 * 1024
INHERITED = sys.platform == "linux"
"""Whether an accepted socket has the options of its listener; else each is tuned by itself."""


def tune(sock: socket.socket) -> None:
    """Set the options of a connection's socket, or of a listener.

    Without `TCP_NOTSENT_LOWAT` the kernel takes 3.9 MiB for a peer that does not read before `unsent` shows anything.
    Keep-alive finds out about peers that vanished, on wires that have no ping of their own.
    """
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_NOTSENT_LOWAT", NOTSENT_LOWAT),
        ("TCP_KEEPIDLE", 60),
        ("TCP_KEEPINTVL", 10),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 30_000),
    ):
        number = getattr(socket, option, None)  # not on every system
        if number is not None:
            sock.setsockopt(socket.IPPROTO_TCP, number, value)
