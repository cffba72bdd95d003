"""The capabilities on offer, as data.

One that adds a tag or changes the shape of a message shows in `render`, one that changes the dialogue in `session`;
nobody else looks at capabilities. (IRCv3 capability-negotiation)
"""

from __future__ import annotations

from collections.abc import Iterable

MESSAGE_TAGS = "message-tags"
SERVER_TIME = "server-time"
BATCH = "batch"
ECHO_MESSAGE = "echo-message"
LABELED_RESPONSE = "labeled-response"
MULTI_PREFIX = "multi-prefix"
CAP_NOTIFY = "cap-notify"
STANDARD_REPLIES = "standard-replies"
ACCOUNT_TAG = "account-tag"
AWAY_NOTIFY = "away-notify"
EXTENDED_JOIN = "extended-join"
USERHOST_IN_NAMES = "userhost-in-names"
INVITE_NOTIFY = "invite-notify"

OFFERED: dict[str, str] = {
    MESSAGE_TAGS: "",
    SERVER_TIME: "",
    BATCH: "",
    ECHO_MESSAGE: "",
    LABELED_RESPONSE: "",
    MULTI_PREFIX: "",
    CAP_NOTIFY: "",
    STANDARD_REPLIES: "",
    AWAY_NOTIFY: "",
    EXTENDED_JOIN: "",
    USERHOST_IN_NAMES: "",
}
"""Name to value, "" for none."""

RENDERED = frozenset({MESSAGE_TAGS, SERVER_TIME, AWAY_NOTIFY, EXTENDED_JOIN})
"""Those that show in what a session is pushed: they make its dialect."""


def request(wanted: str, enabled: frozenset[str]) -> frozenset[str] | None:
    """What is enabled after `CAP REQ` of these; None if any is not to be had: all or nothing."""
    names = wanted.split()
    if any(name.removeprefix("-") not in OFFERED for name in names):
        return None
    result = set(enabled)
    for name in names:
        if name.startswith("-"):
            result.discard(name[1:])
        else:
            result.add(name)
    return frozenset(result)


def listing(names: Iterable[str], *, values: bool) -> list[str]:
    """Capabilities as they are listed, in order; with `values` as from version 302 on."""
    return [f"{name}={OFFERED[name]}" if values and OFFERED[name] else name for name in names]
