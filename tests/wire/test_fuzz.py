"""Five clients on mixed wires do anything in any order; whatever they do, the house stays in order."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from asynchat.chat.events import Flag
from asynchat.chat.names import casefold
from tests.conversation import CLOSED, Client, Town, bare

NAMES = ("ann", "bob", "cat", "dan", "eve", "Ann", "9", "")
ROOMS = ("#lobby", "#a", "#A", "#é", "x", "#lobby,#a")
CAPS = (
    "echo-message",
    "labeled-response batch",
    "message-tags server-time",
    "-message-tags",
    "away-notify extended-join",
    "draft/multiline batch draft/message-redaction draft/event-playback",
    "draft/metadata-3 draft/read-marker extended-monitor account-notify setname",
    "draft/channel-rename invite-notify no-implicit-names",
)
LOGIN = ("AUTHENTICATE PLAIN", "AUTHENTICATE AEFjYwBwdw==")
"""To the account Acc, whose password is pw."""
TEXTS = ("hi", "x" * 300, "é漢👩", "a: b", "", "\x01ACTION x\x01", "\x1b[2J", "two words")

BATCH = re.compile(r"(?::\S+ )?BATCH (?P<sign>[+-])(?P<name>\S+)")

msgids = st.integers(1, 60).map(str) | st.sampled_from(("", "\u00b2", "-1", "x y"))
references = st.builds("msgid={}".format, msgids) | st.sampled_from(
    ("*", "timestamp=2026-01-02T03:05:00.000Z", "timestamp=9999-12-31T23:59:59.999999Z", "timestamp=")
)
names, rooms, texts = st.sampled_from(NAMES), st.sampled_from(ROOMS), st.sampled_from(TEXTS)
modes = st.sampled_from(
    ("+m", "-m", "+i", "+k x", "-k", "+l 2", "-l", "+o ann", "-o ann", "+v bob", "+b eve", "-b eve", "b", "+zz")
)
irc_lines = st.one_of(
    st.builds("JOIN {}".format, rooms),
    st.builds("PART {} :{}".format, rooms, texts),
    st.builds("PRIVMSG {} :{}".format, rooms | names, texts),
    st.builds("PRIVMSG {},{} :{}".format, rooms, names, texts),
    st.builds("@label=1;+a=b;+asynchat/key=0123456789abcdef PRIVMSG {} :{}".format, rooms | names, texts),
    st.builds(
        "@label=2 {}".format,
        st.sampled_from(("JOIN #a", "NAMES #a", "PING x", "PONG", "PART #a", "NICK bob", "TAGMSG #a")),
    ),
    st.builds("NICK {}".format, names),
    st.builds("MODE {} {}".format, rooms, modes),
    st.builds("TOPIC {} :{}".format, rooms, texts),
    st.builds("KICK {} {} :{}".format, rooms, names, texts),
    st.builds("INVITE {} {}".format, names, rooms),
    st.builds("AWAY :{}".format, texts),
    st.builds("CAP REQ :{}".format, st.sampled_from(CAPS)),
    st.sampled_from(("JOIN 0", "LIST", "WHO *", "LUSERS", "QUIT", "WHOIS ann", "CAP END", "NOPE")),
    st.builds(
        "CHATHISTORY {} {} {} 5".format,
        st.sampled_from(("LATEST", "BEFORE", "AFTER", "AROUND", "TARGETS", "X")),
        rooms | names,
        references,
    ),
    st.builds("CHATHISTORY BETWEEN {} {} {} 5".format, rooms | names, references, references),
    st.builds("REDACT {} {} :{}".format, rooms | names, msgids, texts),
    st.builds("MARKREAD {} {}".format, rooms | names, references),
    st.builds(
        "METADATA {} {} {}".format,
        rooms | names | st.just("*"),
        st.sampled_from(("GET", "SET", "SET k :v", "LIST", "CLEAR", "SUB", "UNSUB", "SYNC", "SUBS")),
        st.sampled_from(("", "k", "word :a b", "k word Upper", ":a b")),
    ),
    st.builds("MONITOR {} {}".format, st.sampled_from("+-CLSX"), st.builds("{},{}".format, names, names)),
    st.builds("RENAME {} {} :{}".format, rooms, rooms, texts),
    st.builds("MODE {} {}".format, names, st.sampled_from(("+i", "-i", "+Bw", "-o", "+x"))),
    st.builds("{} {}".format, st.sampled_from(("WHO", "WHOIS", "WHOWAS", "NAMES", "ISON", "USERHOST")), names | rooms),
    st.builds("WHO {} %tcuihsnfdlaor,5".format, names | rooms),
    st.builds("LIST {}".format, st.sampled_from((">0", "C<5", "T>5", "!#a", "#*"))),
    st.builds("@batch=1 PRIVMSG {} :{}".format, rooms, texts),
    st.builds("{}BATCH +1 draft/multiline {}".format, st.sampled_from(("", "@label=3 ")), rooms),
    st.builds("SETNAME :{}".format, texts),
    st.builds("KILL {} :{}".format, names, texts),
    st.builds("PRIVMSG @{} :{}".format, rooms, texts),
    st.sampled_from(("BATCH -1", "OPER root pw", "WALLOPS :hi", "ISUPPORT", "HELP", "REGISTER * * pw", *LOGIN)),
)
plain_lines = st.one_of(
    texts,
    st.builds(
        "/{} {} {}".format,
        st.sampled_from(("join", "part", "msg", "kick", "ban", "op", "invite", "name")),
        rooms | names,
        texts,
    ),
    st.builds(
        "/{} {}".format, st.sampled_from(("topic", "me", "say", "key", "who", "history", "ids", "time", "acks")), texts
    ),
    st.sampled_from(("/rooms", "/quit", "quit", "/help", "//x", "/unban eve", "/reply hi")),
)


class Errors(logging.Handler):
    """Remembers what is logged as an error."""

    records: ClassVar[list[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record.getMessage())


class House(RuleBasedStateMachine):
    """A town, and what five people do in it."""

    wires = ("irc", "irc", "line", "line", "frame")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.town = self.runner.run(Town(accounts={"Acc": "pw"}, operators={"root": "pw"}).__aenter__())
        self.clients: list[Client] = []
        self.errors = Errors(logging.ERROR)
        self.errors.records.clear()
        logging.getLogger("asynchat").addHandler(self.errors)

    @initialize()
    def all_come(self) -> None:
        for wire, name in zip(self.wires, NAMES, strict=False):
            self.clients.append(self.runner.run(self._comes(wire, name)))

    async def _comes(self, wire: str, name: str) -> Client:
        town = self.town
        return await (
            town.irc(name, "#lobby") if wire == "irc" else getattr(town, {"line": "person"}.get(wire, "framed"))(name)
        )

    @rule(
        who=st.integers(0, 4),
        irc=st.lists(irc_lines, min_size=1, max_size=4),
        plain=st.lists(plain_lines, min_size=1, max_size=4),
    )
    def one_speaks(self, who: int, irc: list[str], plain: list[str]) -> None:
        client = self.clients[who]
        self.runner.run(client.says(*(irc if client.wire == "irc" else plain)))

    @rule(
        two=st.lists(st.integers(0, 4), min_size=2, max_size=3, unique=True),
        irc=st.lists(irc_lines, min_size=1, max_size=3),
        plain=st.lists(plain_lines, min_size=1, max_size=3),
    )
    def several_speak_at_once(self, two: list[int], irc: list[str], plain: list[str]) -> None:
        clients = [self.clients[who] for who in two]
        saying = [(each, each.encoded(*(irc if each.wire == "irc" else plain))) for each in clients]
        self.runner.run(self.town.at_once(*saying))

    @rule(who=st.integers(0, 4), data=st.binary(max_size=40))
    def one_sends_anything(self, who: int, data: bytes) -> None:
        self.runner.run(self.clients[who].says(data))

    @rule(who=st.integers(0, 4), seconds=st.sampled_from((0.1, 3, 70)))
    def time_passes(self, who: int, seconds: float) -> None:
        self.runner.run(self.town.passes(seconds))

    @rule(who=st.integers(0, 4), politely=st.booleans())
    def one_leaves_and_another_comes(self, who: int, politely: bool) -> None:
        old = self.clients[who]
        if not old.closed:
            self.runner.run(old.ends() if politely else old.vanishes())
        new = self.town.connect(old.wire)
        lines = ["NICK new", "USER n 0 * :N", "JOIN #a"] if new.wire == "irc" else ["new"]
        if new.wire == "irc" and politely:  # two of them are one user
            lines = ["CAP REQ sasl", *LOGIN, "NICK acc", "USER a 0 * :A", "CAP END", "JOIN #a"]
        self.runner.run(new.says(*lines))
        self.clients[who] = new

    @invariant()
    def the_house_is_in_order(self) -> None:
        state, hub = self.town.hub.state, self.town.hub
        sessions = {each.session for each in self.town.clients if each.session.user is not None}
        for folded, user in state.users.items():
            assert folded == casefold(user.nick)
            assert state.people[user.id] is user
            assert user.sessions
            assert set(user.sessions) <= sessions
            assert all(user in room.members for room in user.rooms)
        assert len(state.people) == len(state.users)
        for folded, room in state.rooms.items():
            assert folded == casefold(room.name)
            assert state.places[room.place] is room
            assert (room in state.empty) is not bool(room.members)
            assert all(room in user.rooms and state.people[user.id] is user for user in room.members)
            hearers = [session for group in room.hearers.values() for session in group]
            assert len(hearers) == len(set(hearers))
            assert set(hearers) == {session for user in room.members for session in user.sessions}
            assert all(session.dialect is dialect for dialect, group in room.hearers.items() for session in group)
        assert len(state.places) == len(state.rooms)
        assert state.invisible == sum(Flag.INVISIBLE in user.flags for user in state.users.values())
        assert state.operators == sum(Flag.OPERATOR in user.flags for user in state.users.values())
        watched = {(name, session) for name, group in state.watchers._by_name.items() for session in group}
        assert watched == {(name, session) for session in sessions for name in state.watchers.names_of(session)}
        assert all(state.watchers._by_name.values())
        assert not hub.claims
        assert not hub._opening
        assert not hub._coming
        assert not self.errors.records
        for client in self.town.clients:
            if client.session.wire == "irc":
                self.everything_is_a_message(client)
            elif client.session.wire != "?":
                client.hears_bytes()

    def everything_is_a_message(self, client: Client) -> None:
        """What a client hears: short enough, and every batch that begins ends."""
        batches: list[str] = []
        for line in filter(lambda line: line != CLOSED, client.hears()):
            message = bare(line)
            assert len(message.encode()) <= 510
            if edge := BATCH.match(message):
                batches.append(edge["name"]) if edge["sign"] == "+" else batches.remove(edge["name"])
        assert not batches

    def teardown(self) -> None:
        logging.getLogger("asynchat").removeHandler(self.errors)
        self.runner.run(self.town.__aexit__())
        assert not self.town.hub.state.users
        self.runner.close()


TestTheHouse = House.TestCase
TestTheHouse.settings = settings(
    max_examples=100, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
