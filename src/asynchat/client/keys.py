"""Keys under which a server stores a message once, however often it is sent."""

from __future__ import annotations

import hashlib
import hmac


def wire_key(name: str, target: str, key: str) -> str:
    """The key on the wire for one that a person or a program has chosen: long enough to be nobody else's."""
    return hashlib.sha256(f"{name}\0{target}\0{key}".encode()).hexdigest()[:32]


def derived_key(secret: str, message: str, what: str) -> str:
    """The key of what follows from a message, by its id: the same each time, and nobody else can tell it before.

    (Who has no account shares the keys with all others who have none: who knew it could use it first.)
    """
    return hmac.digest(secret.encode(), f"{message}\0{what}".encode(), "sha256").hex()[:32]
