"""Who may do what: tables of the answers, as people get them from the hub's verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asynchat.chat import policy
from asynchat.chat.errors import Refused
from asynchat.chat.events import FLAGS, Change, Kind, Role, Said, Setting, Source
from asynchat.chat.hub import Hub
from asynchat.chat.users import User
from tests.chat.town import House

ROLES = {"outsider": None, "member": Role.NONE, "voice": Role.VOICE, "helper": Role.HELPER, "operator": Role.OPERATOR}
ME = "me!ident@host"

# What each of them is answered; the rooms are as they are made, but for what is set: `+moderated` on, `-secret` off.
ANSWERS = """
verb           settings                         outsider      member        voice         helper        operator
say            as-made                          CANNOT_SPEAK  ok            ok            ok            ok
say            -no-outsiders                    ok            ok            ok            ok            ok
say            +moderated                       CANNOT_SPEAK  CANNOT_SPEAK  ok            ok            ok
say            +moderated-no-outsiders          CANNOT_SPEAK  CANNOT_SPEAK  ok            ok            ok
say            +ban-no-outsiders                CANNOT_SPEAK  CANNOT_SPEAK  ok            ok            ok
say            +ban+ban-exception-no-outsiders  ok            ok            ok            ok            ok
say            +invite-only                     CANNOT_SPEAK  ok            ok            ok            ok
say            +members-only                    CANNOT_SPEAK  ok            ok            ok            ok
say            +ban+mute-exception-no-outsiders CANNOT_SPEAK  CANNOT_SPEAK  ok            ok            ok
say            +mute-no-outsiders               CANNOT_SPEAK  CANNOT_SPEAK  ok            ok            ok
say            +mute+mute-exception-no-outsiders ok           ok            ok            ok            ok
say            +mute+ban-exception-no-outsiders CANNOT_SPEAK  CANNOT_SPEAK  ok            ok            ok
say            +no-requests                     CANNOT_SPEAK  ok            ok            ok            ok
ask            -no-outsiders                    ok            ok            ok            ok            ok
ask            +no-requests-no-outsiders        CANNOT_SPEAK  CANNOT_SPEAK  CANNOT_SPEAK  CANNOT_SPEAK  CANNOT_SPEAK
ask-below      +no-requests-no-outsiders        CANNOT_SPEAK  CANNOT_SPEAK  CANNOT_SPEAK  CANNOT_SPEAK  CANNOT_SPEAK
act            +no-requests-no-outsiders        ok            ok            ok            ok            ok
rename-room    as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
redact-own     -no-outsiders                    ok            ok            ok            ok            ok
redact-other   as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
topic          as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   ok            ok
topic          -topic-locked                    NOT_IN_ROOM   ok            ok            ok            ok
kick           as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   ok            ok
kick-operator  as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
kick-absent    as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_THEIR_ROOM NOT_THEIR_ROOM
invite         as-made                          NOT_IN_ROOM   ok            ok            ok            ok
invite         +invite-only                     NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   ok            ok
leave          as-made                          NOT_IN_ROOM   ok            ok            ok            ok
see            as-made                          ok            ok            ok            ok            ok
see            +secret                          NO_SUCH_ROOM  ok            ok            ok            ok
set-moderated  as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
set-key        as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
set-limit      as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
set-ban        as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
give-voice     as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   ok            ok
give-helper    as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
give-operator  as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
take-operator  as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
give-up        as-made                          NOT_IN_ROOM   ok            ok            ok            ok
rise           as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
voice-and-key  as-made                          NOT_IN_ROOM   NOT_ALLOWED   NOT_ALLOWED   NOT_ALLOWED   ok
"""


def role(setting: Setting, user: User, on: bool = True) -> Change:
    return Change(setting=setting, on=on, value=user.nick, user=user.id)


def first_line(hub: Hub) -> Said:
    return next(event for event in hub.journal.stored if isinstance(event, Said))


KEY = Change(setting=Setting.KEY, on=True, value="sesame")
VERBS: dict[str, Callable[[Hub, User], Any]] = {
    "say": lambda hub, me: hub.say(me, "#a", "hi"),
    "ask": lambda hub, me: hub.say(me, "#a", "\x01VERSION\x01"),
    "ask-below": lambda hub, me: hub.say(me, "#a", "hi\n\x01VERSION\x01"),
    "act": lambda hub, me: hub.say(me, "#a", "\x01waves", kind=Kind.ACTION),
    "rename-room": lambda hub, me: hub.rename_room(me, "#a", "#b", ""),
    "redact-own": lambda hub, me: hub.redact(me, hub.say(me, "#a", "hi").event, ""),
    "redact-other": lambda hub, me: hub.redact(me, first_line(hub), ""),
    "topic": lambda hub, me: hub.set_topic(me, "#a", "tea"),
    "kick": lambda hub, me: hub.kick(me, "#a", "other", ""),
    "kick-operator": lambda hub, me: hub.kick(me, "#a", "founder", ""),
    "kick-absent": lambda hub, me: hub.kick(me, "#a", "guest", ""),
    "invite": lambda hub, me: hub.invite(me, "#a", "guest"),
    "leave": lambda hub, me: hub.leave(me, "#a"),
    "see": lambda hub, me: policy.see(me, hub.room("#a")),
    "set-moderated": lambda hub, me: hub.change(me, "#a", [Change(setting=Setting.MODERATED, on=True)]),
    "set-key": lambda hub, me: hub.change(me, "#a", [KEY]),
    "set-limit": lambda hub, me: hub.change(me, "#a", [Change(setting=Setting.LIMIT, on=True, value="9")]),
    "set-ban": lambda hub, me: hub.change(me, "#a", [Change(setting=Setting.BAN, on=True, value="x!*@*")]),
    "give-voice": lambda hub, me: hub.change(me, "#a", [role(Setting.VOICE, hub.user("other"))]),
    "give-helper": lambda hub, me: hub.change(me, "#a", [role(Setting.HELPER, hub.user("other"))]),
    "give-operator": lambda hub, me: hub.change(me, "#a", [role(Setting.OPERATOR, hub.user("other"))]),
    "take-operator": lambda hub, me: hub.change(me, "#a", [role(Setting.OPERATOR, hub.user("founder"), on=False)]),
    "give-up": lambda hub, me: hub.change(me, "#a", [role(Setting.HELPER, me, on=False)]),
    "rise": lambda hub, me: hub.change(me, "#a", [role(Setting.OPERATOR, me)]),
    "voice-and-key": lambda hub, me: hub.change(me, "#a", [role(Setting.VOICE, hub.user("other")), KEY]),
}
VALUES = {
    Setting.BAN: "me!*@*",
    Setting.BAN_EXCEPTION: "*!*@host",
    Setting.INVITE_EXCEPTION: "me!*@*",
    Setting.KEY: "sesame",
    Setting.LIMIT: "2",
}
WORDS = {setting.value: (setting, VALUES.get(setting)) for setting in Setting} | {
    "mute": (Setting.BAN, "m:me!*@*"),
    "mute-exception": (Setting.BAN_EXCEPTION, "m:*!*@host"),
    "account-ban": (Setting.BAN, "a:ME"),
    "account-mute": (Setting.BAN, "m:a:M*"),
}


def rows() -> list[Any]:
    _, header, *lines = ANSWERS.rstrip().split("\n")
    roles = header.split()[2:]
    cases = [(verb, settings, role, answer) for line in lines for verb, settings, *answers in [line.split()]
             for role, answer in zip(roles, answers, strict=True)]  # fmt: skip
    return [pytest.param(*case, id=" ".join(case)) for case in cases]


def changes_of(settings: str) -> list[Change]:
    """`+moderated-no-outsiders`: one on, one off. A name may have a dash in it, so the longest that fits is meant."""
    changes = []
    by_length = sorted(WORDS, key=lambda word: -len(word))
    while settings and settings != "as-made":
        word = next(word for word in by_length if settings[1:].startswith(word))
        setting, value = WORDS[word]
        changes.append(Change(setting=setting, on=settings[0] == "+", value=value))
        settings = settings[1 + len(word) :]
    return changes


def answer_to(ask: Callable[[], Any]) -> str:
    try:
        ask()
    except Refused as refused:
        return refused.code
    return "ok"


@pytest.mark.parametrize(("verb", "settings", "role_name", "answer"), rows())
def test_a_role_and_a_setting_decide(verb, settings, role_name, answer):
    house = House()
    founder, _ = house.room_of("#a", "founder", "other")
    house.hub.say(founder, "#a", "welcome")
    house.enter("guest")
    me = house.enter("me")
    assert me.source.mask == ME
    if ROLES[role_name] is not None:
        house.hub.join(me, "#a")
        house.hub.room("#a").members[me].roles = ROLES[role_name]
    changes = changes_of(settings)
    if changes:
        house.hub.change(founder, "#a", changes)
    before = len(house.journal.stored)
    assert answer_to(lambda: VERBS[verb](house.hub, me)) == answer
    if answer != "ok":
        assert len(house.journal.stored) == before


def test_every_flag_is_in_the_table():
    assert {flag.value for flag in FLAGS} <= {
        change.setting.value for row in rows() for change in changes_of(row.values[1])
    }


ANYBODY: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("settings", "who", "answer"),
    [
        ("as-made", ANYBODY, "ok"),
        ("+moderated+secret", ANYBODY, "ok"),
        ("+ban", ANYBODY, "BANNED"),
        ("+ban+ban-exception", ANYBODY, "ok"),
        ("+ban", {"invited": True}, "ok"),
        ("+ban", {"account": "me"}, "BANNED"),
        ("+mute", ANYBODY, "ok"),
        ("+account-ban", ANYBODY, "ok"),
        ("+account-ban", {"account": "me"}, "BANNED"),
        ("+account-ban", {"account": "you"}, "ok"),
        ("+account-ban+ban-exception", {"account": "me"}, "ok"),
        ("+account-mute", {"account": "me"}, "ok"),
        ("+members-only", ANYBODY, "MEMBERS_ONLY"),
        ("+members-only", {"invited": True}, "MEMBERS_ONLY"),
        ("+members-only", {"account": "me"}, "ok"),
        ("+invite-only", ANYBODY, "INVITE_ONLY"),
        ("+invite-only", {"account": "me"}, "INVITE_ONLY"),
        ("+invite-only", {"invited": True}, "ok"),
        ("+invite-only+invite-exception", ANYBODY, "ok"),
        ("+key", ANYBODY, "BAD_KEY"),
        ("+key", {"key": "wrong"}, "BAD_KEY"),
        ("+key", {"key": "sesame"}, "ok"),
        ("+key", {"invited": True}, "ok"),
        ("+invite-only+invite-exception+key", ANYBODY, "BAD_KEY"),
        ("+limit", ANYBODY, "ROOM_FULL"),
        ("+limit", {"invited": True}, "ok"),
        ("+key+limit", {"key": "sesame"}, "ROOM_FULL"),
        ("+ban+members-only+invite-only+key+limit", ANYBODY, "BANNED"),
        ("+members-only+invite-only+key+limit", ANYBODY, "MEMBERS_ONLY"),
        ("+invite-only+key+limit", ANYBODY, "INVITE_ONLY"),
        ("-topic-locked-no-outsiders+limit", ANYBODY, "ROOM_FULL"),
        ("-topic-locked-no-outsiders+key", ANYBODY, "BAD_KEY"),
    ],
)
def test_a_door_opens_or_not(settings, who, answer):
    house = House()
    founder, _ = house.room_of("#a", "founder", "other")  # which are as many as the limit
    me = house.enter("me")
    me.source = Source(user=me.id, nick="me", ident="ident", host="host", account=who.get("account"))
    if changes := changes_of(settings):
        house.hub.change(founder, "#a", changes)
    if who.get("invited"):
        house.hub.invite(founder, "#a", "me")
    assert answer_to(lambda: house.hub.join(me, "#a", who.get("key"))) == answer
    assert (me in house.hub.room("#a").members) is (answer == "ok")


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ("as-made", "ok"),
        ("+moderated+limit", "ok"),
        ("+secret", "NO_SUCH_ROOM"),
        ("+invite-only", "NO_SUCH_ROOM"),
        ("+members-only", "NO_SUCH_ROOM"),
        ("+key", "NO_SUCH_ROOM"),
        ("+ban", "NO_SUCH_ROOM"),
        ("+mute", "ok"),
    ],
)
def test_who_could_not_just_walk_in_does_not_see_what_is_kept_with_a_room(settings, answer):
    house = House()
    (founder,) = house.room_of("#a", "founder")
    me = house.enter("me")
    if changes := changes_of(settings):
        house.hub.change(founder, "#a", changes)
    assert answer_to(lambda: policy.look_in(me, house.hub.room("#a"))) == answer
    assert answer_to(lambda: policy.look_in(founder, house.hub.room("#a"))) == "ok"


def test_a_ban_of_an_account_on_speaking_is_for_that_account_whatever_its_name():
    house = House()
    founder, me = house.room_of("#a", "founder", "me")
    house.hub.change(founder, "#a", changes_of("+account-mute"))
    assert answer_to(lambda: house.hub.say(me, "#a", "hi")) == "ok"
    house.hub.set_account(me, "Me")
    house.hub.rename(me, "somebody")
    assert answer_to(lambda: house.hub.say(me, "#a", "hi")) == "CANNOT_SPEAK"
    house.hub.set_account(me, None)
    assert answer_to(lambda: house.hub.say(me, "#a", "hi")) == "ok"
