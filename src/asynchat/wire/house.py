"""What every session of one server knows of it: its hub, its log, its words, its limits."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asynchat.chat.names import casefold
from asynchat.chat.sessions import History
from asynchat.wire.resumes import Resumes

if TYPE_CHECKING:
    from asynchat.chat.events import Place
    from asynchat.chat.hub import Hub
    from asynchat.wire.irc.caps import TlsPolicy
    from asynchat.wire.logins import Logins
    from asynchat.wire.session import Session
    from asynchat.wire.tls import Context


WIRES = ("line", "frame", "irc", "http")
"""Those there are."""


async def _nothing() -> None:
    """What a server without configuration reads again."""


@dataclass(slots=True)
class House:
    """What the sessions of one server know of it. Times are in seconds."""

    hub: Hub
    history: History
    name: str = "asynchat"
    network: str = "asynchat"
    version: str = "0"
    started_ms: int = 0
    room: str = "#lobby"
    """Where people without a client come in."""
    motd: tuple[str, ...] = ()
    password: str | None = None
    greeting: str = "text"
    """For people who say nothing: text, nick (the four bytes that some tutorial clients wait for) or none."""
    greeting_after_s: float = 1.0
    replay: int = 20
    most_history: int = 100
    """Lines that one request for history gets."""
    most_multiline_bytes: int = 65_536
    most_multiline_lines: int = 1000
    metadata_subs: int = 100
    logins: Logins | None = None
    """None: there are no accounts."""
    is_owned: Callable[[str], bool] = field(default=lambda name: False)
    """Whether a name is that of an account."""
    asks_all: bool = False
    """Whether everybody is asked for a password: nobody knows beforehand whose name is whose."""
    mechanisms: tuple[str, ...] = ()
    accounts_required: bool = False
    may_register: bool = True
    register_before: bool = False
    always_on: bool = False
    """Whether a user who is here as an account stays when its last session goes."""
    operators: dict[str, str] = field(default_factory=dict)
    """Name to password."""
    capabilities: dict[str, str] = field(default_factory=dict)
    """What is offered to IRC clients: name to value, "" for none."""
    tls_policy: TlsPolicy | None = None
    """What IRC clients are told about TLS, if they are."""
    reload: Callable[[], Awaitable[None]] = field(default=_nothing)
    max_line: int = 16 * 1024
    read_buffer: int = 64 * 1024
    """The most that one read brings."""
    ping_interval_s: float = 60.0
    register_timeout_s: float = 60.0
    tls: Context | None = None
    """None: there is no certificate, and who opens with TLS is told so."""
    handshake_timeout_s: float = 10.0
    allowed_origins: tuple[str, ...] = ()
    """Pages that may open a WebSocket, besides our own; `*` for any."""
    most_users: int = 0
    unknown: Callable[[], int] = field(default=lambda: 0)
    """How many connections have not come in yet."""
    came: Callable[[Session], None] = field(default=lambda session: None)
    resumes: Resumes = field(default_factory=Resumes)
    resume_window_s: float = 600.0
    """How long who is gone may come back by its resume key."""
    read_on: Callable[[Session, int, Mapping[Place, int]], None] = field(default=lambda session, position, heard: None)
    """Have a session shown, before anything else, everything after an id that it has not heard: see `net.catchup`."""
    went: Callable[[Session, str], None] = field(default=lambda session, reason: None)
    broke: Callable[[Session, str], None] = field(default=lambda session, reason: None)
    """Told of who broke the rules of a transport, or was not let through."""

    wires: frozenset[str] = frozenset(WIRES)
    """Which of the wires are spoken; WebSocket, which carries IRC, is `http`."""
    sessions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """What speaks a wire here instead of its own session, by the wire's name: see `net.tracing`."""
    consoles: dict[Session, None] = field(default_factory=dict)
    """The sessions at which the server's operator sits, who is told of everybody who comes and goes."""
    stop: Callable[[str], None] = field(default=lambda reason: None)
    """End the server, in order and soon, telling why."""
    stats: Callable[[], dict[str, Any]] = field(default=dict)
    """Figures: name to value."""

    def note_came(self, session: Session) -> None:
        """Tell whom it concerns that somebody has come in."""
        self.came(session)
        for console in self.consoles:
            with suppress(OSError, RuntimeError):  # gone: its own conversation finds out
                console.saw_come(session)

    def note_went(self, session: Session, reason: str) -> None:
        """Tell whom it concerns that somebody has gone."""
        self.went(session, reason)
        for console in self.consoles:
            with suppress(OSError, RuntimeError):
                console.saw_go(session, reason)

    def is_owned_by_another(self, name: str, account: str | None) -> bool:
        """Whether a name is that of an account, and not of this one."""
        return self.is_owned(name) and casefold(name) != casefold(account or "")

    def opens(self, given: str | None) -> bool:
        """Whether this password, if any, opens the gate. It takes as long whatever is given."""
        if self.password is None:
            return True
        return hmac.compare_digest((given or "").encode(), self.password.encode())
