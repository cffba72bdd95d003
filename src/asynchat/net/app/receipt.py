"""A receipt: what was sent is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is known of a message once it is stored and shown.

    `id` is its name everywhere and the position after which to read on, `at` its time, aware, in UTC. It is not `new`
    if the same sender had sent it before under the same key: then `id` and `at` are those of the first, and nobody saw
    it again.
    """

    id: str
    at: datetime
    new: bool
