"""Being let in: capabilities, logging in, a name. (Modern IRC, "Connection Registration"; IRCv3 sasl-3.2)"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asynchat.chat.errors import Refused
from asynchat.wire.irc.message import Message

if TYPE_CHECKING:
    from asynchat.client.sasl import Mechanism

SASL = "sasl"
_RESERVED = re.compile(r"regist|reserv|identif", re.IGNORECASE)
"""How servers say of a name not that somebody bears it now but that it is somebody's."""
MOST_OFFERED = 500
_NOT_LOGGED_IN = ("902", "904", "905", "906", "908")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """As whom somebody comes.

    With an `account` the `password` is that of the account, and it is logged in to by SASL; with `certificate` the one
    that was shown to TLS proves it. `gate` is what the server asks of everybody.
    """

    name: str
    account: str | None = None
    password: str | None = None
    certificate: bool = False
    gate: str | None = None

    def __repr__(self) -> str:  # no password ever comes into a log
        return f"Identity(name={self.name!r}, account={self.account!r})"


class Registration:
    """What is said until the server lets us in, or does not; capabilities may come and go later too.

    `capabilities` are those agreed on and `offered` all there are, with their values; `nick` is the name that was asked
    for, or that the server has given. `answer` is None once the server has let us in, or what it has said to the name.
    """

    def __init__(
        self, identity: Identity, wanted: Collection[str], write: Callable[..., None], *, private: bool
    ) -> None:
        self.nick = identity.name
        self.capabilities: frozenset[str] = frozenset()
        self.offered: dict[str, str] = {}
        self.answer: asyncio.Future[Refused | None]
        self.in_ = False
        self._identity = identity
        self._wanted = frozenset(wanted) | ({SASL} if self._logs_in else set())
        self._write = write
        self._private = private
        self._mechanism: Mechanism | None = None
        self._challenge = ""
        self._logged_in = False
        self._not_yet = False  # the name is somebody's; whether that is us shows when we are logged in

    @property
    def _logs_in(self) -> bool:
        return self._identity.account is not None or self._identity.certificate

    def begin(self) -> None:
        """Say who we are."""
        self.answer = asyncio.get_running_loop().create_future()
        if self._identity.gate:
            self._write("PASS", self._identity.gate)
        self._write("CAP", "LS", "302")
        self._write("NICK", self.nick)
        user = re.sub(r"[^\x21-\x3f\x41-\x7e]", "", self._identity.name) or "user"
        self._write("USER", user, "0", "*", self._identity.name)

    def ask_for(self, nick: str) -> None:
        """Ask for another name, or for the same once more."""
        self.nick = nick
        self.answer = asyncio.get_running_loop().create_future()
        self._write("NICK", nick)

    def note(self, message: Message) -> None:
        """Take what the server says."""
        handler = getattr(self, f"_on_{message.command.lower()}", None)
        if handler is not None:
            handler(message)
        elif message.command in _NOT_LOGGED_IN and not self.in_:
            self._decide(Refused("BAD_PASSWORD", message.params[-1] if message.params else "not logged in"))

    # Capabilities.

    def _on_cap(self, message: Message) -> None:
        """Ask for what is wanted and on offer. (IRCv3 capability-negotiation)"""
        if len(message.params) < 3:
            return
        subcommand, names = message.params[1].upper(), message.params[-1].split()
        match subcommand:
            case "LS":
                self._note_offer(names)
                if message.params[2] != "*":
                    self._request(self._wanted & self.offered.keys())
            case "NEW":
                self._note_offer(names)
                self._request(self._wanted & {name.partition("=")[0] for name in names})
            case "ACK":
                self.capabilities |= {name for name in names if name[:1] != "-"}
                self._go_on()
            case "NAK":
                self._go_on()
            case "DEL":
                self.capabilities -= set(names)

    def _note_offer(self, names: list[str]) -> None:
        if len(self.offered) < MOST_OFFERED:
            self.offered |= dict(name.partition("=")[::2] for name in names)

    def _request(self, names: Collection[str]) -> None:
        if names:
            self._write("CAP", "REQ", " ".join(sorted(names)))
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Log in if that is wanted, else come in."""
        if self.in_ or self._mechanism is not None:
            return
        if not self._logs_in:
            self._write("CAP", "END")
            return
        if SASL not in self.capabilities:
            self._decide(Refused("NO_SASL", "one cannot log in to accounts here"))
            return
        try:
            self._mechanism = self._choose()
        except Refused as refused:
            self._decide(refused)
        else:
            self._write("AUTHENTICATE", self._mechanism.name)

    # Logging in.

    def _choose(self) -> Mechanism:
        """The best way to log in that both know.

        Raises:
            Refused: there is none.
        """
        from asynchat.client import sasl  # most do not log in

        known = self.offered.get(SASL, "").upper().split(",")
        known = known if any(known) else ["PLAIN", "EXTERNAL"]  # a server of before 302 does not say
        account, password = self._identity.account or self._identity.name, self._identity.password
        if self._identity.certificate and "EXTERNAL" in known:
            return sasl.External(account)
        if password is None:
            raise Refused("BAD_PASSWORD", f"the password of the account {account} is needed")
        if sasl.Scram.name in known:
            return sasl.Scram(account, password)
        if "PLAIN" not in known:
            raise Refused("NO_SASL", f"the server only knows {', '.join(known)}")
        if not self._private:
            raise Refused("NO_TLS", "the server wants the password in clear, and the connection is not encrypted")
        return sasl.Plain(account, password)

    def _on_authenticate(self, message: Message) -> None:
        from asynchat.client import sasl

        chunk = message.params[0] if message.params else "+"
        if self._mechanism is None or self.in_:
            return
        self._challenge += "" if chunk == "+" else chunk
        if len(chunk) == sasl.CHUNK and len(self._challenge) < 10 * sasl.CHUNK:
            return
        challenge, self._challenge = self._challenge, ""
        try:
            answers = sasl.encode(self._mechanism.step(sasl.decode(challenge)))
        except Refused as refused:
            self._write("AUTHENTICATE", "*")
            self._decide(refused)
            return
        for answer in answers:
            self._write("AUTHENTICATE", answer)

    def _on_903(self, message: Message) -> None:
        """Logged in, if the server has proven what it has to. A name that others may not have is ours perhaps."""
        if self._mechanism is not None and not self._mechanism.proven:
            self._decide(Refused("SASL_FAILED", "the server does not prove that it knows the password"))
            return
        self._logged_in = True
        if not self.in_:
            if self._not_yet:
                self._write("NICK", self.nick)
            self._write("CAP", "END")

    # A name.

    def _on_001(self, message: Message) -> None:
        self.nick = message.params[0] if message.params else self.nick

    def _on_422(self, message: Message) -> None:
        """The end of the welcome: all that the server tells of itself is here."""
        self._decide(None)
        self.in_ = True

    _on_376 = _on_422

    def _on_433(self, message: Message) -> None:
        if message.params[1:2] != [self.nick]:  # it is about a name that was asked for before
            return
        if self._logs_in and not self._logged_in:
            self._not_yet = True
            return
        if _RESERVED.search(message.params[-1]):
            self._decide(Refused("NAME_RESERVED", f"{self.nick} is registered", (self.nick,)))
        else:
            self._decide(Refused("NAME_TAKEN", f"{self.nick} is in use", (self.nick,)))

    def _on_432(self, message: Message) -> None:
        self._decide(Refused("BAD_NAME", f"{self.nick} cannot be a name here", (self.nick,)))

    def _on_464(self, message: Message) -> None:
        text = "the server's password is another" if self._identity.gate else "the server wants a password"
        self._decide(Refused("BAD_PASSWORD", text))

    def _on_465(self, message: Message) -> None:
        self._decide(Refused("BANNED", message.params[-1] if message.params else "you are banned"))

    def _on_fail(self, message: Message) -> None:
        """(IRCv3 standard-replies)"""
        if not self.in_ and len(message.params) > 2 and message.params[0] in ("*", "NICK", "USER", "PASS"):
            self._decide(Refused(message.params[1], message.params[-1], tuple(message.params[2:-1])))

    def _decide(self, verdict: Refused | None) -> None:
        if not self.in_ and not self.answer.done():
            self.answer.set_result(verdict)
