"""The capabilities on offer, as data.

One that adds a tag or changes the shape of a message shows in `render`, one that changes the dialogue in `session`;
nobody else looks at capabilities. (IRCv3 capability-negotiation)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

ACCOUNT_NOTIFY = "account-notify"
ACCOUNT_REGISTRATION = "draft/account-registration"
ACCOUNT_TAG = "account-tag"
AWAY_NOTIFY = "away-notify"
BATCH = "batch"
CAP_NOTIFY = "cap-notify"
CHATHISTORY = "draft/chathistory"
CHGHOST = "chghost"
ECHO_MESSAGE = "echo-message"
EVENT_PLAYBACK = "draft/event-playback"
EXTENDED_ISUPPORT = "draft/extended-isupport"
EXTENDED_JOIN = "extended-join"
EXTENDED_MONITOR = "extended-monitor"
INVITE_NOTIFY = "invite-notify"
LABELED_RESPONSE = "labeled-response"
MESSAGE_TAGS = "message-tags"
METADATA = "draft/metadata-3"
MULTILINE = "draft/multiline"
MULTI_PREFIX = "multi-prefix"
NO_IMPLICIT_NAMES = "no-implicit-names"
PRE_AWAY = "draft/pre-away"
READ_MARKER = "draft/read-marker"
REDACTION = "draft/message-redaction"
RENAME = "draft/channel-rename"
SASL = "sasl"
SEARCH = "soju.im/search"
SERVER_TIME = "server-time"
SETNAME = "setname"
STANDARD_REPLIES = "standard-replies"
STS = "sts"
USERHOST_IN_NAMES = "userhost-in-names"

OFFERED = (
    ACCOUNT_NOTIFY,
    ACCOUNT_REGISTRATION,
    ACCOUNT_TAG,
    AWAY_NOTIFY,
    BATCH,
    CAP_NOTIFY,
    CHATHISTORY,
    CHGHOST,
    ECHO_MESSAGE,
    EVENT_PLAYBACK,
    EXTENDED_ISUPPORT,
    EXTENDED_JOIN,
    EXTENDED_MONITOR,
    INVITE_NOTIFY,
    LABELED_RESPONSE,
    MESSAGE_TAGS,
    METADATA,
    MULTILINE,
    MULTI_PREFIX,
    NO_IMPLICIT_NAMES,
    PRE_AWAY,
    READ_MARKER,
    REDACTION,
    RENAME,
    SASL,
    SEARCH,
    SERVER_TIME,
    SETNAME,
    STANDARD_REPLIES,
    USERHOST_IN_NAMES,
)

RENDERED = frozenset(
    {
        ACCOUNT_NOTIFY,
        ACCOUNT_TAG,
        AWAY_NOTIFY,
        BATCH,
        EXTENDED_JOIN,
        INVITE_NOTIFY,
        MESSAGE_TAGS,
        METADATA,
        MULTILINE,
        REDACTION,
        RENAME,
        SERVER_TIME,
        SETNAME,
    }
)
"""Those that show in what a session is pushed: they make its dialect."""


class TlsPolicy(NamedTuple):
    """Clients shall come with TLS: to this port if they did not, and for so many seconds once they did. (IRCv3 sts)"""

    port: int
    duration_s: int


def shown(offered: Mapping[str, str], policy: TlsPolicy | None, *, secure: bool, version: int) -> dict[str, str]:
    """What a client that knows this version of `CAP LS` is shown.

    The policy is read, never requested, and it is nothing without its value. (IRCv3 sts)
    """
    if version < 302:
        return dict.fromkeys(offered, "")
    if policy is None:
        return dict(offered)
    return {**offered, STS: f"duration={policy.duration_s}" if secure else f"port={policy.port}"}


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What is offered no more, and what is new or has another value. (IRCv3 cap-notify)"""
    return [name for name in before if name not in now], [name for name in now if before.get(name) != now[name]]


def request(wanted: str, enabled: frozenset[str], offered: Mapping[str, str]) -> frozenset[str] | None:
    """What is enabled after `CAP REQ` of these; None if any is not to be had: all or nothing."""
    names = wanted.split()
    if any(name.removeprefix("-") not in offered for name in names):
        return None
    result = set(enabled)
    for name in names:
        if name.startswith("-"):
            result.discard(name[1:])
        else:
            result.add(name)
    return frozenset(result)


def listing(names: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """Capabilities as they are listed, in order, with their values where they have one."""
    return [f"{name}={values[name]}" if values.get(name) else name for name in names]
