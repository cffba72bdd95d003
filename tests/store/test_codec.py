"""Events as JSON and back."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asynchat.chat import events
from asynchat.chat.errors import StoreError
from asynchat.chat.events import (
    AccountSet,
    Announced,
    AwaySet,
    Banished,
    Change,
    Changed,
    Departed,
    Entered,
    Event,
    Flag,
    FlagsSet,
    Invited,
    Joined,
    Kicked,
    Kind,
    Left,
    MarkerSet,
    MetadataSet,
    Pardoned,
    RealnameSet,
    Redacted,
    Renamed,
    Role,
    RoomRenamed,
    Said,
    Setting,
    Source,
    TopicSet,
)
from asynchat.store import codec
from asynchat.store.codec import decode, encode, from_json, milliseconds, timestamp, to_json
from tests.chat.events_at_random import EVENTS

NEVER_KEPT = {Announced}  # nobody is told of it later
KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event and kind not in NEVER_KEPT
]


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """All values of a type, with every field of a dataclass drawn, those with a default too."""
    if dataclasses.is_dataclass(hint):
        return made(hint)
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if inner[-1] is ...:
            return st.lists(values_of(inner[0]), max_size=4).map(tuple)
        return st.tuples(*map(values_of, inner))
    if get_args(hint):
        return st.one_of(*map(values_of, get_args(hint)))
    return st.none() if hint is type(None) else st.from_type(hint)


def made(kind: Any, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{each.name: values_of(hints[each.name]) for each in dataclasses.fields(kind)} | given)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_what_is_written_is_read(kind, data):
    event = data.draw(made(kind, id=st.integers(1, 2**62).map(str), kept=st.just(True)))
    again = decode(encode(event), id=event.id, at_ms=event.at_ms)
    assert again == event
    assert type(again) is kind
    hash((again.places, getattr(again, "rooms", ()), getattr(again, "tags", ())))  # tuples, as they were


def test_every_kind_that_can_be_kept_is_known():
    assert set(codec._FIELDS) == set(KINDS)
    assert len({kind.__name__ for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_is_written(kind):
    own = {each.name for each in dataclasses.fields(kind)} - {each.name for each in dataclasses.fields(Event)}
    names = [name for name, _, _ in codec._FIELDS[kind]]
    assert sorted(names) == sorted(own)


BY = Source(user="g1", nick="alice", ident="i", host="h", account="acc")
BOB = Source(user="g2", nick="bob", ident="j", host="k")
_BY, _BOB = '["g1","alice","i","h","acc"]', '["g2","bob","j","k",null]'
AGO: dict[str, Any] = {"by": BY, "at_ms": 5, "id": "9", "places": ("#1",)}


@pytest.mark.parametrize(
    ("row", "event"),
    [
        (
            f'["Said",{_BY},["#1"],"#a","hé","action","g2",[["+a","b"]],"k"]',
            Said(to="#a", text="hé", kind=Kind.ACTION, target="g2", tags=(("+a", "b"),), key="k", **AGO),
        ),
        (
            f'["Said",{_BY},["#1"],"#a","ab","message",null,[],null,3,[1]]',
            Said(to="#a", text="ab", least=Role.VOICE | Role.HELPER, cuts=(1,), **AGO),
        ),
        (f'["Entered",{_BY},["#1"],"Alice"]', Entered(realname="Alice", **AGO)),
        (f'["Joined",{_BY},["#1"],"#a","Alice"]', Joined(room="#a", realname="Alice", **AGO)),
        (f'["Left",{_BY},["#1"],"#a","bye"]', Left(room="#a", reason="bye", **AGO)),
        (f'["Departed",{_BY},["#1"],["#a","#b"],"bye"]', Departed(rooms=("#a", "#b"), reason="bye", **AGO)),
        (f'["Kicked",{_BY},["#1"],"#a",{_BOB},"why"]', Kicked(room="#a", target=BOB, reason="why", **AGO)),
        (f'["Invited",{_BY},["#1"],"#a",{_BOB}]', Invited(room="#a", target=BOB, **AGO)),
        (f'["Renamed",{_BY},["#1"],"al"]', Renamed(nick="al", **AGO)),
        (f'["AwaySet",{_BY},["#1"],null]', AwaySet(text=None, **AGO)),
        (f'["AccountSet",{_BY},["#1"],"acc"]', AccountSet(account="acc", **AGO)),
        (f'["RealnameSet",{_BY},["#1"],"Al"]', RealnameSet(realname="Al", **AGO)),
        (
            f'["FlagsSet",{_BY},["#1"],["invisible","bot"],["wallops","operator"]]',
            FlagsSet(on=(Flag.INVISIBLE, Flag.BOT), off=(Flag.WALLOPS, Flag.OPERATOR), **AGO),
        ),
        (f'["MarkerSet",{_BY},["#1"],"#a","2026"]', MarkerSet(to="#a", read="2026", **AGO)),
        (f'["MetadataSet",{_BY},["#1"],"#a","k",null]', MetadataSet(room="#a", name="k", value=None, **AGO)),
        (
            f'["Redacted",{_BY},["#1"],"#a",null,"7","why"]',
            Redacted(to="#a", target=None, said="7", reason="why", **AGO),
        ),
        (f'["RoomRenamed",{_BY},["#1"],"#a","#b","why"]', RoomRenamed(room="#a", name="#b", reason="why", **AGO)),
        (f'["TopicSet",{_BY},["#1"],"#a","tea"]', TopicSet(room="#a", text="tea", **AGO)),
        (
            f'["Changed",{_BY},["#1"],"#a",[["voice",true,"bob","g2"],["key",false,null,null]]]',
            Changed(
                room="#a",
                changes=(
                    Change(setting=Setting.VOICE, on=True, value="bob", user="g2"),
                    Change(setting=Setting.KEY, on=False),
                ),
                **AGO,
            ),
        ),
        (
            f'["Changed",{_BY},["#1"],"#a",[["ban",true,"bob!*@*",null,7]]]',
            Changed(room="#a", changes=(Change(setting=Setting.BAN, on=True, value="bob!*@*", until_ms=7),), **AGO),
        ),
        (
            f'["Banished",{_BY},["#1"],"192.0.2.0/24","spam",null]',
            Banished(mask="192.0.2.0/24", reason="spam", **AGO),
        ),
        (f'["Banished",{_BY},["#1"],"a:eve","",7]', Banished(mask="a:eve", until_ms=7, **AGO)),
        (f'["Pardoned",{_BY},["#1"],"a:eve"]', Pardoned(mask="a:eve", **AGO)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_what_version_1_wrote_is_read_for_ever(row, event):
    """These rows are in files out there: change the code, never them."""
    assert decode(row, id="9", at_ms=5) == event
    assert encode(event).startswith(row.removesuffix("]"))  # it may grow at its end


def test_every_kind_has_its_row_above():
    rows = test_what_version_1_wrote_is_read_for_ever.pytestmark[0].args[1]
    assert {type(event) for _, event in rows} == set(KINDS)


def test_a_field_that_was_added_later_has_its_default_in_older_rows():
    event = decode(f'["Said",{_BY},["#1"],"#a","hi"]', id="9", at_ms=5)
    assert event == Said(to="#a", text="hi", **AGO)


def test_a_field_that_a_later_version_added_is_passed_over():
    assert decode(f'["Renamed",{_BY},["#1"],"al",{{"new":1}}]', id="9", at_ms=5) == Renamed(nick="al", **AGO)


def test_a_bot_is_marked_as_one_and_nobody_else_is():
    bot = Renamed(nick="al", **AGO | {"by": Source(user="g1", nick="a", ident="i", host="h", bot=True)})
    assert encode(bot) == '["Renamed",["g1","a","i","h",null,true],["#1"],"al"]'
    assert decode(encode(bot), id="9", at_ms=5) == bot
    assert encode(Renamed(nick="al", **AGO)) == f'["Renamed",{_BY},["#1"],"al"]'


@pytest.mark.parametrize("kind", sorted(NEVER_KEPT, key=lambda kind: kind.__name__))
def test_what_is_never_kept_cannot_be_written(kind):
    assert kind not in codec._FIELDS


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from([kind.__name__ for kind in KINDS]),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
)
ROWS = st.tuples(
    st.sampled_from([kind.__name__ for kind in KINDS]), st.just(json.loads(_BY)) | JSON, JSON, JSON, JSON, JSON
)


@settings(deadline=None, max_examples=40)
@given(st.text() | JSON.map(json.dumps) | ROWS.map(json.dumps))
def test_what_was_not_written_by_us_is_a_store_error(body):
    with suppress(StoreError):
        decode(body, id="9", at_ms=5)


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "1", '["Said"]', '["Nothing",["u","n","i","h",null],[]]', '["Left",3,[]]']
)
def test_the_event_that_cannot_be_read_is_named(body):
    with pytest.raises(StoreError, match="event 9 cannot be read"):
        decode(body, id="9", at_ms=5)


SOURCES = st.builds(
    Source,
    user=st.text(),
    nick=st.text(),
    ident=st.text(),
    host=st.text(),
    account=st.none() | st.text(),
    bot=st.booleans(),
)
TALK = st.builds(
    Said,
    by=SOURCES,
    at_ms=st.just(1),
    id=st.just("1"),
    places=st.lists(st.text()).map(tuple),
    to=st.text(),
    text=st.text(),
    kind=st.sampled_from(Kind),
    target=st.none() | st.text(),
    tags=st.lists(st.tuples(st.text(), st.text())).map(tuple),
    key=st.none() | st.text(),
    least=st.sampled_from(Role),
    cuts=st.lists(st.integers(0, 99)).map(tuple),
)


@given(TALK)
def test_talk_is_written_as_everything_else_is(said):
    values = [put(getattr(said, name)) for name, put, _ in codec._FIELDS[Said]]
    assert encode(said) == codec._encode(["Said", codec.source_to(said.by), said.places, *values])


# With names.

A_TIME = st.integers(-10_000_000_000_000, 250_000_000_000_000)
AN_ID = st.integers(1, 10**18 - 1).map(str)


def as_read(values: Any) -> Any:
    """What comes out of a file into which this was written."""
    return json.loads(json.dumps(values))


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_what_is_written_with_names_is_read(kind, data):
    event = data.draw(made(kind, id=AN_ID, at_ms=A_TIME, kept=st.just(True)))
    again = from_json(as_read(to_json(event)))
    assert again == event
    assert type(again) is kind
    assert encode(again) == encode(event)


@settings(deadline=None)
@given(EVENTS)
def test_any_event_that_is_kept_is_taken_elsewhere_and_back(event):
    if type(event) not in NEVER_KEPT:
        assert from_json(as_read(to_json(event))) == dataclasses.replace(event, kept=True)


def positions(values: Any, hint: Any) -> list[Any]:
    """What of those values has positions where it should have names."""
    if dataclasses.is_dataclass(hint):
        named = {each.name for each in dataclasses.fields(hint)}
        return [] if isinstance(values, dict) and set(values) == named else [values]
    inner = get_args(hint)
    if get_origin(hint) is tuple and inner[-1] is ...:
        return [found for each in values for found in positions(each, inner[0])]
    return []


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=20)
@given(st.data())
def test_every_field_has_its_name(kind, data):
    values = to_json(data.draw(made(kind, at_ms=A_TIME)))
    hints = get_type_hints(kind)
    own = [name for name, _, _ in codec._FIELDS[kind]]
    assert list(values) == ["id", "at", "event", "by", "places", *own]
    assert not set(own) & {"id", "at", "event", "by", "places"}
    assert [found for name in ("by", *own) for found in positions(values[name], hints[name])] == []


def test_an_event_with_names_is_what_the_reference_says():
    event = Changed(room="#a", changes=(Change(setting=Setting.VOICE, on=True, value="bob", user="g2"),), **AGO)
    assert to_json(event) == {
        "id": "9",
        "at": "1970-01-01T00:00:00.005Z",
        "event": "Changed",
        "by": {"user": "g1", "nick": "alice", "ident": "i", "host": "h", "account": "acc", "bot": False},
        "places": ["#1"],
        "room": "#a",
        "changes": [{"setting": "voice", "on": True, "value": "bob", "user": "g2", "until_ms": None}],
    }


def test_a_field_that_was_added_later_may_be_missing():
    values = to_json(Said(to="#a", text="hi", **AGO))
    for name in ("kind", "target", "tags", "key", "least", "cuts"):
        del values[name]
    del values["by"]["bot"]
    assert from_json(values) == Said(to="#a", text="hi", **AGO)


RENAMED = to_json(Renamed(nick="al", **AGO))
SAID = to_json(Said(to="#a", text="hi", **AGO))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (RENAMED | {"event": "Announced"}, "there is no such kind of event"),
        (RENAMED | {"event": ["Renamed"]}, "there is no such kind of event"),
        (RENAMED | {"id": 9}, "id does not fit"),
        (RENAMED | {"id": "09"}, "id does not fit"),
        (RENAMED | {"id": "9" * 19}, "id does not fit"),
        (RENAMED | {"id": "٣"}, "id does not fit"),
        (RENAMED | {"at": 5}, "at does not fit"),
        (RENAMED | {"at": "yesterday"}, "Invalid isoformat string"),
        (RENAMED | {"at": "2026-01-02T03:04:05.678"}, "at has no time zone"),
        (RENAMED | {"nick": 5}, "nick does not fit"),
        (RENAMED | {"nick": None}, "nick does not fit"),
        (RENAMED | {"nick": "\ud800"}, "nick .*surrogates not allowed"),
        (RENAMED | {"name": "al"}, "has no field name"),
        (RENAMED | {"kept": True}, "has no field kept"),
        (RENAMED | {"by": "alice"}, "by is no object"),
        (RENAMED | {"by": RENAMED["by"] | {"bot": 1}}, "by bot does not fit"),
        (RENAMED | {"places": "#1"}, "places does not fit"),
        ({name: value for name, value in RENAMED.items() if name != "nick"}, "nick is missing"),
        (SAID | {"kind": "song"}, "kind 'song' is not a valid Kind"),
        (SAID | {"tags": [["a"]]}, "tags does not fit"),
        (SAID | {"least": True}, "least does not fit"),
        (SAID | {"cuts": ["1"]}, "cuts does not fit"),
    ],
)
def test_what_does_not_fit_is_told(values, why):
    with pytest.raises(StoreError, match=f"event .* cannot be read: {why}"):
        from_json(values)


@settings(deadline=None)
@given(
    st.sampled_from([RENAMED, SAID, to_json(Changed(room="#a", changes=(), **AGO))]),
    st.dictionaries(st.sampled_from(sorted({*RENAMED, *SAID, "changes", "room"})), JSON, max_size=3),
)
def test_values_of_any_sort_are_an_event_or_a_store_error(values, others):
    with suppress(StoreError):
        event = from_json(values | others)
        assert decode(encode(event), id=event.id, at_ms=event.at_ms) == event


@given(A_TIME)
def test_a_time_is_written_and_read_to_the_millisecond(at_ms):
    assert milliseconds(timestamp(at_ms)) == at_ms


def test_a_time_that_no_calendar_has_is_a_store_error():
    with pytest.raises(StoreError, match="is no time"):
        timestamp(10**17)
