"""Where a client connects to."""

from __future__ import annotations

import pytest

from asynchat.client.url import Url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("asynchat://lab", Url("lab", 12345)),
        ("asynchat://lab:7#ops", Url("lab", 7, room="#ops")),
        ("lab:7", Url("lab", 7)),
        ("tcp://lab", Url("lab", 12345)),
        ("irc://irc.example.org", Url("irc.example.org", 6667, scheme="irc")),
        ("ircs://irc.example.org", Url("irc.example.org", 6697, scheme="ircs")),
        ("asynchats://lab#ops", Url("lab", 12345, room="#ops", scheme="asynchats")),
        ("wss://lab/chat?x=1#ops", Url("lab", 443, "/chat?x=1", "#ops", "wss")),
        ("ws://lab:8000", Url("lab", 8000, "/", scheme="ws")),
        ("asynchat://[::1]:7", Url("::1", 7)),
        ("unix:///run/chat.sock", Url(path="/run/chat.sock", scheme="unix")),
    ],
)
def test_a_url_names_a_server_and_perhaps_a_room(text: str, url: Url) -> None:
    assert Url.parse(text) == url


@pytest.mark.parametrize(
    "text", ["gopher://x", "asynchat://", "asynchat://x:99999", "", "unix://", "irc://me:secret@x"]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Url.parse(text)


@pytest.mark.parametrize(
    "text", ["asynchat://lab:7", "asynchat://[::1]:7", "unix:///run/chat.sock", "ircs://lab:7", "wss://lab:7/x"]
)
def test_it_is_written_as_it_is_read(text: str) -> None:
    assert str(Url.parse(text)) == text
