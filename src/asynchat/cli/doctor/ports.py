"""Whether a server could listen where it is told to."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from asynchat.cli.doctor.finding import Finding, note, ok, wrong
from asynchat.cli.doctor.reaching import Target, is_ours
from asynchat.config.server import ServerSettings
from asynchat.net.listen import Listen


def addresses(settings: ServerSettings) -> Iterator[Finding]:
    """Each address of the settings; nothing listens meanwhile, and no file is made."""
    places = [each for text in settings.listen or () for each in Listen.parse(text, settings.host)]
    for place in places or [Listen(host, settings.port) for host in settings.host]:
        yield _socket_file(Path(place.path)) if place.path else _port(place, required=bool(places))


def _port(place: Listen, *, required: bool) -> Finding:
    if not place.port:
        return note("address", f"{place}: any port")
    try:
        found = socket.getaddrinfo(place.host or None, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, where in dict.fromkeys(found):
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(where)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _taken(str(place), Target(place.host or "localhost", place.port, "", secure=False))
        if place.host == "::1" and not required:
            return note("address", f"{place}: this machine has no IPv6")
        return wrong("address", f"{place}: {error.strerror or error}")
    return ok("address", f"{place} is free")


def _taken(name: str, target: Target) -> Finding:
    if is_ours(target):
        return ok("address", f"{name}: an asynchat is there already")
    return wrong("address", f"{name}: something else listens there")


def _socket_file(path: Path) -> Finding:
    name = f"unix://{path}"
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        return wrong("address", f"{name}: {path.parent} is no folder that can be written")
    if not os.path.lexists(path):
        return ok("address", f"{name} is free")
    if not stat.S_ISSOCK(path.lstat().st_mode):
        return wrong("address", f"{name}: there is a file that is no socket")
    target = Target("", 0, str(path), secure=False)
    try:
        with closing(target.connect()):
            pass
    except OSError:
        return ok("address", f"{name} is free; what is there was left by a server that was killed")
    return _taken(name, target)
