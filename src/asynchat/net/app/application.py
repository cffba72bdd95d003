"""What an application says, reads and decides on a server that it runs: the part of `Server` that is not its life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, overload

from asynchat.chat.errors import BadName, BadRoomName
from asynchat.chat.names import is_room
from asynchat.net.app.ban import Ban, ban_of
from asynchat.net.app.event import Happened, What
from asynchat.net.app.hooks import AfterEvent, AfterHook, AfterMessage, Authenticator, BeforeHook, Hooks, check_word
from asynchat.net.app.inside import Inside
from asynchat.net.app.person import Person, person_of
from asynchat.net.app.room import Room
from asynchat.net.app.user import User
from asynchat.wire.banishing import banish


class Application:
    """Rooms and people as code holds them, and the functions that a server asks and tells.

    Those are registered before it is entered, and may be sync or async. Each call takes `hook_timeout` seconds at most.
    What goes wrong in one is logged (`asynchat.hooks`), counted in `hook_errors`, and costs nothing but what it was
    called for; one that takes more than 0.1 s is named in the log.
    """

    def __init__(self, hook_timeout: float) -> None:
        self._hooks = Hooks(hook_timeout)
        self._entered = False

    # Hooks.

    def on[F: BeforeHook](self, what: Literal["message"], *, room: str | None = None) -> Callable[[F], F]:
        """Have a function asked about each message before it is stored, or about those in one room.

        It is given a `Message` without an id, and returns None, or another text to be said instead. If it raises
        `Refused(code, text)` nothing is said, and the sender is told so in the words of their wire. So they are with
        HOOK_TIMEOUT if it takes too long, and with HOOK_FAILED if it fails. Several are asked in the order in which
        they were registered. A sender's next line waits meanwhile; nobody else does.

        It is asked about everything that is said, to one person too, and by code; not about what `server` says.

        Raises:
            ValueError: there is no such hook, or no such room can be.
            TypeError: it is no function.
            RuntimeError: the server was entered already.
        """

        check_word(what, "on")

        def register(function: F) -> F:
            self._registering().add_before(function, what, room)
            return function

        return register

    @overload
    def after[F: AfterMessage](self, what: Literal["message"], *, room: str | None = None) -> Callable[[F], F]: ...

    @overload
    def after[F: AfterEvent](self, what: Happened, *, room: str | None = None) -> Callable[[F], F]: ...

    def after[F: AfterHook](self, what: What, *, room: str | None = None) -> Callable[[F], F]:
        """Have a function told of each event once it is stored, or of those in one room.

        Of a `message` it is given a `Message`, of a `join`, `leave`, `kick`, `topic` or `rename` an `Event`; each once,
        in order, the next when it is done with the last. Nobody waits for it: a thousand events wait for it in memory,
        and from there on it reads from the log, where redacted and expired lines are missing. When the server is closed
        it is told of what is left, within the `grace` of `close`.

        Raises:
            ValueError: there is no such hook, or no such room can be.
            TypeError: it is no function.
            RuntimeError: the server was entered already.
        """

        check_word(what, "after")

        def register(function: F) -> F:
            self._registering().add_after(function, what, room)
            return function

        return register

    def command[F: Callable[..., Any]](
        self, name: str, *, role: Literal["op"] | None = None, help: str = ""
    ) -> Callable[[F], F]:
        """Have a function called by a command, of a to z, on all wires.

        netcat and the frame wire have it as `/deploy prod`, and in `/help`; IRC clients send `DEPLOY prod` (`/quote
        deploy prod` in most). The function is given a `Context` and a word for each of its parameters, `*rest` takes
        what is left; with too few or too many the asker is told `help`, which is how it is used: `"deploy ENV"`. With
        `role="op"` the asker must run the room that it is about, or the server. What it raises as `Refused` the asker
        is told. The first line of its docstring says in `/help` what it does.

        Raises:
            ValueError: there is such a command, or cannot be.
            TypeError: the function cannot be called so.
            RuntimeError: the server was entered already.
        """

        check_word(name, "command")

        def register(function: F) -> F:
            self._registering().add_command(function, name, role, help)
            return function

        return register

    def authenticator[F: Authenticator](self, function: F) -> F:
        """Have a function judge passwords, instead of the server's own accounts, which there are none of then.

        It is given a name and a password, and returns the name of the account, which somebody can be called, or None.
        It serves netcat's question for the password, `/login`, and SASL PLAIN; there is neither SCRAM nor EXTERNAL, and
        nobody registers. Everybody has to log in, as nobody but the function knows whose name is whose; with
        `Server(accounts="optional")` there are guests too, and a name is its account's from the first login on.

        Raises:
            TypeError: it is no function.
            RuntimeError: the server was entered already.
        """
        self._registering().set_authenticator(function)
        return function

    @property
    def hook_errors(self) -> Counter[str]:
        """How many calls of each function failed or took too long, by `module.name`."""
        return self._hooks.calls.errors

    def _registering(self) -> Hooks:
        if self._entered:
            raise RuntimeError("hooks are registered before the server is entered")
        return self._hooks

    # Rooms and people.

    def room(self, name: str) -> Room:
        """The room of that name, which begins with `#`: a handle, good before the server runs and after it.

        What is done in it is done `by` somebody, named at each call. That is a user like all others, whom everybody
        sees: it comes in under its name at its first word, marked as a bot, enters the rooms it speaks in, and stays
        until `leave` or the end of the server. Policy and hooks treat it as they do others. It needs no password:
        `by="alice"` is alice, if she has an account, here or not; a guest's name is refused with NAME_TAKEN, unless it
        is one of the server's `speakers`, which no guest can have.
        `by="server"` is the operator, who may do everything, as at the console; nobody comes in as that but by code.

        Raises:
            Refused: BAD_ROOM_NAME, it does not begin with `#`.
        """
        if not is_room(name):
            raise BadRoomName(name)
        return Room(name, self._running)

    def user(self, name: str) -> User:
        """The user of that name, here or not: a handle, good before the server runs and after it.

        Raises:
            Refused: BAD_NAME, it begins with `#`, as rooms do.
        """
        if is_room(name):
            raise BadName(name)
        return User(name, self._running)

    def rooms(self) -> list[Room]:
        """The rooms in which there is somebody, secret ones too; they come in the order in which they were made.

        Raises:
            RuntimeError: the server does not run.
        """
        rooms = self._running().hub.state.rooms.values()
        return [Room(room.name, self._running) for room in rooms if room.members]

    def users(self) -> list[Person]:
        """Everybody who is here, or away with an account.

        Raises:
            RuntimeError: the server does not run.
        """
        return [person_of(user) for user in self._running().hub.state.people.values()]

    # Who may be here. Only the server itself may say so: `by="server"`.

    async def banish(self, who: str, reason: str = "", *, seconds: float | None = None, by: str) -> None:
        """Keep somebody off the server, and end their connections; they are told the reason.

        `who` is a name, `nick!ident@host` with `*` and `?`, of which parts may be left out, `a:account`, an address or
        a network (`192.0.2.0/24`). It holds for so many `seconds`, None for ever; the last word on who it is counts.

        Raises:
            Refused: NOT_SERVER, LIST_FULL, BAD_SETTING: nobody can be meant by that.
        """
        hub = self._running().hub
        ms = None if seconds is None else round(seconds * 1000)
        await self._running().speakers.do(
            lambda session: banish(hub, who, reason, ms, by=session.present, via=session), by=by
        )

    async def pardon(self, who: str, *, by: str) -> None:
        """Let somebody come again, said as `banish` was told or as `bans` tells it.

        Raises:
            Refused: NOT_SERVER; NO_SUCH_BAN.
        """
        hub = self._running().hub
        await self._running().speakers.do(lambda session: hub.pardon(session.present, who, via=session), by=by)

    def bans(self) -> list[Ban]:
        """Who is kept off the server, oldest first.

        Raises:
            RuntimeError: the server does not run.
        """
        return [ban_of(ban) for ban in self._running().hub.state.bans.all.values()]

    @property
    def last_id(self) -> str:
        """The id up to which everything was stored and shown: `room.messages(after=server.last_id)` is what comes now.

        Raises:
            RuntimeError: the server does not run.
        """
        return str(self._running().position())

    async def leave(self, by: str) -> None:
        """Have somebody go whom this program speaks as; nothing if it has not spoken as them.

        Raises:
            RuntimeError: the server does not run.
        """
        await self._running().speakers.leave(by)

    @property
    def _inside(self) -> Inside | None:
        """What a server that runs consists of."""
        raise NotImplementedError

    def _running(self) -> Inside:
        inside = self._inside
        if inside is None:
            raise RuntimeError("the server does not run: enter it first")
        return inside
