"""The /commands: one function and one row each."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from asynchat.chat import policy
from asynchat.chat.bans import check_mask, network_of
from asynchat.chat.errors import BadMask, NoSuchBan, NoSuchName
from asynchat.chat.events import Change, Kind, Setting
from asynchat.chat.names import casefold, full_mask, is_room
from asynchat.chat.search import Search
from asynchat.wire import durations
from asynchat.wire.slashes import Command, enter
from asynchat.wire.text import plain

if TYPE_CHECKING:
    from asynchat.chat.events import Event
    from asynchat.wire.talk.session import TalkSession

Function = Callable[["TalkSession", str], Coroutine[Any, Any, None]]

MOST_HISTORY = 100
MOST_FOUND = 20

Row = Command[Function]
"""What a row of these tables is."""
COMMANDS: dict[str, Row] = {}
"""What everybody has. A session's own table is `TalkSession.commands`."""


def command(name: str, takes: str, *aliases: str, table: dict[str, Row] = COMMANDS) -> Callable[[Function], Function]:
    """Put a function into the table."""
    return enter(table, name, takes, *aliases)


async def run(session: TalkSession, text: str) -> None:
    """Run a line that begins with a slash."""
    name, _, argument = text[1:].partition(" ")
    row = session.commands.get(casefold(name))
    if row is None:
        session.no("UNKNOWN", f"/{name}; /help")
    elif row.needs and not argument.strip():
        session.no("NEED_MORE", row.usage)
    else:
        await row.function(session, argument.strip())


@command("help", "[command]")
async def help_(session: TalkSession, argument: str) -> None:
    """What can be done."""
    row = session.commands.get(casefold(argument.lstrip("/")))
    if argument and row is None:
        session.no("UNKNOWN", f"{argument}; /help")
        return
    for each in [row] if row is not None else dict.fromkeys(session.commands.values()):
        session.news(each.usage.ljust(24) + f" {each.does}")


@command("name", "newname", "nick")
async def name(session: TalkSession, argument: str) -> None:
    """Take another name."""
    assert session.user is not None
    if session.house.is_owned_by_another(argument, session.user.source.account):
        session.no("NAME_RESERVED", f"{plain(argument)} is registered; come in under it with its password")
        return
    await session.done(session.hub.rename(session.user, argument, via=session))
    session.news(f"you are now {session.user.nick}")


@command("join", "#room [key]")
async def join(session: TalkSession, argument: str) -> None:
    """Enter a room, or go back to it."""
    room_name, _, key = argument.partition(" ")
    room, entered = await session.enter_room(room_name, key.strip() or None)
    people = ", ".join(user.nick for user in room.members if user is not session.user)
    session.news(f"joined {room.name} ({len(room.members)})" + (f": {people}" if people else ""))
    if room.topic is not None:
        session.news(f'topic of {room.name}: "{room.topic.text}"')
    if entered is not None:
        await session.replay(room, entered)


@command("part", "[#room] [why]", "leave")
async def part(session: TalkSession, argument: str) -> None:
    """Leave a room."""
    assert session.user is not None
    room_name, reason = _room_and_rest(session, argument)
    await session.done(session.hub.leave(session.user, room_name, reason, via=session))
    if session.room is not None and casefold(session.room) == casefold(room_name):
        session.room = next((room.name for room in session.user.rooms), None)
    session.speak()
    session.news(f"left {room_name}" + (f", back in {session.room}" if session.room else ""))


def _room_and_rest(session: TalkSession, argument: str) -> tuple[str, str]:
    """The room that an argument begins with, else the current one; and what follows."""
    if is_room(argument):
        room_name, _, rest = argument.partition(" ")
        return room_name, rest.strip()
    return session.room or session.house.room, argument


@command("rooms", "")
async def rooms(session: TalkSession, argument: str) -> None:
    """List the rooms."""
    assert session.user is not None
    for room in session.hub.state.rooms.values():
        if room.members and policy.may_see(session.user, room):
            count = len(room.members)
            topic = f', "{room.topic.text}"' if room.topic else ""
            session.news(f"{room.name} {count} {'person' if count == 1 else 'people'}{topic}")
    session.news("end")


@command("who", "[#room]")
async def who(session: TalkSession, argument: str) -> None:
    """Who is in a room."""
    assert session.user is not None
    room = session.hub.room(_room_and_rest(session, argument)[0])
    policy.see(session.user, room)
    people = ", ".join(
        ("@" if member.roles else "") + user.nick + (" (away)" if user.away else "")
        for user, member in room.members.items()
    )
    session.news(f"{room.name} ({len(room.members)}): {people}")


@command("topic", "[text]")
async def topic(session: TalkSession, argument: str) -> None:
    """Show the room's topic, or set it."""
    assert session.user is not None
    room_name, text = _room_and_rest(session, argument)
    if text:
        await session.done(session.hub.set_topic(session.user, room_name, text, via=session))
    room = session.hub.room(room_name)
    policy.see(session.user, room)
    session.news(f'topic of {room.name}: "{room.topic.text}"' if room.topic else f"{room.name} has no topic")


@command("msg", "name text", "m", "query")
async def msg(session: TalkSession, argument: str) -> None:
    """Say something to one person."""
    to, _, text = argument.partition(" ")
    if not text.strip():
        session.no("NEED_MORE", "/msg name text")
        return
    try:
        person = session.hub.user(to)
    except NoSuchName as refused:
        like = [user.nick for user in session.hub.state.users.values() if _like(user.nick, to)]
        hint = f"; did you mean {like[0]}?" if like else ""
        session.no(refused.code, f"{plain(to)}{hint}")
        return
    await session.done(await session.say(to, text.strip(), Kind.MESSAGE))
    became = "delivered" if person.sessions else f"queued, {person.nick} is offline"
    session.news(f"to {person.nick}: {became}")


def _like(nick: str, wanted: str) -> bool:
    """Whether one is the other with a letter more, less, or changed at the end."""
    one, two = casefold(nick), casefold(wanted)
    return (
        abs(len(one) - len(two)) <= 1
        and min(len(one), len(two)) > 1
        and (one[:-1] == two[:-1] or one in two or two in one)
    )


@command("reply", "text", "r")
async def reply(session: TalkSession, argument: str) -> None:
    """Answer who last spoke to you alone."""
    assert session.user is not None
    me = session.user
    past = await session.house.history.page(me.inbox, limit=MOST_HISTORY)
    to = next((line.by.nick for line in reversed(past) if line.by.user != me.id), None)
    if to is None:
        session.no("NO_SUCH_NAME", "nobody has spoken to you alone yet")
    else:
        await msg(session, f"{to} {argument}")


@command("me", "text")
async def me(session: TalkSession, argument: str) -> None:
    """* alice waves."""
    await session.say_here(argument, Kind.ACTION)


@command("say", "text")
async def say(session: TalkSession, argument: str) -> None:
    """Say exactly this."""
    await session.say_here(argument)


@command("history", "[number]")
async def history(session: TalkSession, argument: str) -> None:
    """What was said last in this room."""
    assert session.user is not None
    number = min(int(argument), MOST_HISTORY) if argument.isdecimal() and len(argument) < 9 else 20
    room = session.hub.room(session.room or session.house.room)
    policy.member(session.user, room)
    lines = session.told_only(await session.house.history.page(room.place, limit=number + MOST_HISTORY))
    shown = [line for line in lines if session.phrases(line)]  # what programs ask each other is not shown
    _show(session, shown[-max(number, 1) :])


@command("search", "words")
async def search(session: TalkSession, argument: str) -> None:
    """What was said with these words in it, in your rooms or to you."""
    assert session.user is not None
    places = frozenset({session.user.inbox, *(room.place for room in session.user.rooms)})
    found = await session.house.history.search(Search(places=places, text=argument, limit=MOST_FOUND))
    _show(session, session.told_only(found))


def _show(session: TalkSession, lines: Sequence[Event]) -> None:
    """Show lines of the past, with their ids and times."""
    for line in lines:
        for phrase in session.phrases(line):
            session.say_phrase(
                phrase._replace(before=f"#{line.id} {session.time_of(line)} {session.dialect.room_before(line)}")
            )
    session.news("end")


@command("invite", "name [#room]")
async def invite(session: TalkSession, argument: str) -> None:
    """Let somebody in."""
    assert session.user is not None
    nick, _, rest = argument.partition(" ")
    room_name, _ = _room_and_rest(session, rest.strip())
    await session.done(session.hub.invite(session.user, room_name, nick, via=session))
    session.news(f"{nick} is invited to {room_name}")


@command("kick", "name [why]")
async def kick(session: TalkSession, argument: str) -> None:
    """Put somebody out of the room."""
    assert session.user is not None
    nick, _, reason = argument.partition(" ")
    await session.done(session.hub.kick(session.user, here(session), nick, reason or session.user.nick, via=session))
    session.news(f"{nick} kicked")


@command("ban", "name|mask [1h]")
async def ban(session: TalkSession, argument: str) -> None:
    """Keep somebody out of the room, for ever or so long."""
    name, _, rest = argument.partition(" ")
    how_long, _ = durations.take(rest)
    await put_on_list(session, name, how_long)
    session.news(f"{name} banned{so_long(how_long)}")


@command("unban", "name|mask")
async def unban(session: TalkSession, argument: str) -> None:
    """Take a ban back."""
    name = argument.split(maxsplit=1)[0]
    if not await change(session, Setting.BAN, False, full_mask(name)):
        raise NoSuchBan(name, text=f"{name} is not banned from {here(session)}")
    session.news(f"{name} is not banned any more")


@command("mute", "name|mask [1h]")
async def mute(session: TalkSession, argument: str) -> None:
    """Keep somebody from speaking in the room, for ever or so long."""
    name, _, rest = argument.partition(" ")
    how_long, _ = durations.take(rest)
    await put_on_list(session, name, how_long, before="m:")
    session.news(f"{name} muted{so_long(how_long)}")


@command("unmute", "name|mask")
async def unmute(session: TalkSession, argument: str) -> None:
    """Let somebody speak again."""
    name = argument.split(maxsplit=1)[0]
    if not await change(session, Setting.BAN, False, f"m:{full_mask(name)}"):
        raise NoSuchBan(name, text=f"{name} is not muted in {here(session)}")
    session.news(f"{name} is not muted any more")


async def put_on_list(session: TalkSession, mask: str, how_long_ms: int | None, before: str = "") -> None:
    """Ban a mask from the room, for so long. `before` it makes it a ban on less.

    Raises:
        BadMask: it could not fit anybody; an address cannot either, since rooms do not know it.
        Refused
    """
    if network_of(mask) is not None:
        raise BadMask(mask, text=f"{mask} is an address: only the server's operator keeps those off, with /ban")
    check_mask(mask := mask.removeprefix(before))
    until_ms = None if how_long_ms is None else session.hub.clock_ms() + how_long_ms
    await change(session, Setting.BAN, True, before + full_mask(mask), until_ms=until_ms)


def so_long(how_long_ms: int | None) -> str:
    """For how long, in words; for ever is none."""
    return "" if how_long_ms is None else f" for {durations.words(how_long_ms)}"


@command("op", "name")
async def op(session: TalkSession, argument: str) -> None:
    """Let somebody run the room."""
    await _role(session, Setting.OPERATOR, argument, "op")


@command("voice", "name")
async def voice(session: TalkSession, argument: str) -> None:
    """Let somebody speak where it is moderated."""
    await _role(session, Setting.VOICE, argument, "voice")


async def _role(session: TalkSession, setting: Setting, nick: str, word: str) -> None:
    person = session.hub.user(nick)
    await change(session, setting, True, person.nick, user=person.id)
    session.news(f"{person.nick} has {word}")


async def change(session: TalkSession, setting: Setting, on: bool, value: str | None, **more: Any) -> bool:
    """Change one setting of the room; whether it was another before."""
    assert session.user is not None
    one = Change(setting=setting, on=on, value=value, **more)
    pending = session.hub.change(session.user, here(session), [one], via=session)
    await session.done(pending)
    return pending is not None


def here(session: TalkSession) -> str:
    """The room that a command is about if it names none."""
    return session.room or session.house.room


@command("key", "[word]")
async def key(session: TalkSession, argument: str) -> None:
    """Let only those in who know the word; none takes it away."""
    await change(session, Setting.KEY, bool(argument), argument or None)
    session.news(f"the key of {here(session)} is {argument}" if argument else f"{here(session)} has no key")


@command("acks", "on|off")
async def acks(session: TalkSession, argument: str) -> None:
    """Answer each stored line with +OK and its id."""
    session.acks = _on(argument)
    session.news(f"acks {'on' if session.acks else 'off'}")


@command("ids", "on|off")
async def ids(session: TalkSession, argument: str) -> None:
    """Show the id of each line."""
    session.ids = _on(argument)
    session.speak()
    session.news(f"ids {'on' if session.ids else 'off'}")


@command("time", "on|off")
async def time(session: TalkSession, argument: str) -> None:
    """Show the time of each line."""
    session.times = _on(argument)
    session.speak()
    session.news(f"time {'on' if session.times else 'off'}")


def _on(argument: str) -> bool:
    return casefold(argument) != "off"


@command("register", "password")
async def register(session: TalkSession, argument: str) -> None:
    """Make your name yours: nobody else can have it then."""
    assert session.user is not None
    logins = session.house.logins
    if logins is None or not session.house.may_register:
        session.no("NO_ACCOUNTS", "there are no accounts to be had here")
        return
    account = await logins.register(session.user.nick, argument, None)
    await session.done(session.hub.set_account(session.user, account, via=session))
    session.news("registered; the name is yours")


@command("login", "password")
async def login(session: TalkSession, argument: str) -> None:
    """Log in to the account of your name."""
    assert session.user is not None
    logins = session.house.logins
    if logins is None:
        session.no("NO_ACCOUNTS", "there are no accounts here")
        return
    account = await logins.check_password(session.user.nick, argument, address=session.address)
    await session.done(session.hub.set_account(session.user, account, via=session))
    session.news(f"logged in as {account}")


@command("logout", "")
async def logout(session: TalkSession, argument: str) -> None:
    """Be a guest again; when you go, you leave."""
    assert session.user is not None
    await session.done(session.hub.set_account(session.user, None, via=session))
    session.logged_out = True
    session.news("logged out")


@command("quit", "[why]", "exit")
async def quit_(session: TalkSession, argument: str) -> None:
    """Go; a bare quit does too."""
    session.leaving = argument or "quit"
    session.news("bye")
    session.end()


from asynchat.wire.talk import resuming  # noqa: E402, F401  (a command with a file of its own)
