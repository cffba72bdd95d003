"""What the sessions of a server know of it, made from the settings."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from asynchat import __version__
from asynchat.chat.hub import Hub, Limits
from asynchat.config.server import Settings
from asynchat.config.values import BadConfig
from asynchat.store import Log
from asynchat.wire.house import House
from asynchat.wire.irc import caps

if TYPE_CHECKING:
    from asynchat.net.app.authenticator import AppLogins
    from asynchat.net.logins import Logins


def make_limits(settings: Settings) -> Limits:
    """The domain's limits."""
    limits = settings.limits
    return Limits(
        name=limits.nick,
        room=limits.channel,
        topic=limits.topic,
        reason=limits.kick,
        away=limits.away,
        watched=limits.monitor,
        metadata_keys=limits.metadata_keys,
        text=max(limits.multiline_bytes, limits.max_line),
    )


def make_house(settings: Settings, hub: Hub, history: Log, logins: Logins | AppLogins | None) -> House:
    """A house with all that the settings say.

    Raises:
        BadConfig: a setting does not fit.
    """
    house = House(hub=hub, history=history, logins=logins, version=__version__, started_ms=_now_ms())
    if logins is not None:
        house.is_owned = logins.is_owned
    furnish(house, settings)
    return house


def furnish(house: House, settings: Settings) -> None:
    """Put into the house what the settings say, at first or once they have changed.

    Raises:
        BadConfig: a setting does not fit; the house is as it was.
    """
    server, limits, accounts = settings.server, settings.limits, settings.accounts
    motd = tuple(_read(server.motd).splitlines()) if server.motd is not None else ()
    if len(server.room.encode()) > limits.channel:
        raise BadConfig(f"[server] room: {server.room} is longer than [limits] channel allows")
    tls_policy = _tls_policy(settings)
    house.name, house.network = server.name, server.network
    house.room = server.room
    house.motd = motd
    house.password = server.password
    house.greeting, house.greeting_after_s = server.greeting, server.greeting_after
    house.replay, house.most_history = settings.history.replay, settings.history.max_request
    house.max_line, house.read_buffer = limits.max_line, limits.read_buffer
    house.ping_interval_s, house.register_timeout_s = limits.ping_interval, limits.register_timeout
    house.resume_window_s = limits.resume_window
    house.most_multiline_bytes, house.most_multiline_lines = limits.multiline_bytes, limits.multiline_lines
    house.metadata_subs = limits.metadata_subs
    house.handshake_timeout_s = settings.tls.handshake_timeout
    house.allowed_origins = settings.web.allowed_origins
    house.operators = {name: each.password for name, each in settings.operators.items() if each.password}
    house.accounts_required = accounts.mode == "required"
    house.mechanisms = accounts.mechanisms if house.logins is not None else ()
    house.may_register, house.register_before = accounts.register, accounts.register_before_connect
    house.always_on = accounts.always_on
    house.tls_policy = tls_policy
    house.capabilities = capabilities(settings)


def capabilities(settings: Settings) -> dict[str, str]:
    """What IRC clients are offered, and the values."""
    offered = dict.fromkeys(caps.OFFERED, "")
    accounts, limits = settings.accounts, settings.limits
    offered[caps.SASL] = ",".join(accounts.mechanisms)
    offered[caps.MULTILINE] = f"max-bytes={limits.multiline_bytes},max-lines={limits.multiline_lines}"
    sizes = f"max-subs={limits.metadata_subs},max-keys={limits.metadata_keys},max-value-bytes={Limits().metadata_value}"
    offered[caps.METADATA] = f"before-connect,{sizes}"
    words = {"before-connect": accounts.register_before_connect, "email-required": accounts.require_email}
    offered[caps.ACCOUNT_REGISTRATION] = ",".join(word for word, on in words.items() if on)
    if accounts.mode == "off":
        del offered[caps.SASL]
    if accounts.mode == "off" or not accounts.register:
        del offered[caps.ACCOUNT_REGISTRATION]
    return offered


def _tls_policy(settings: Settings) -> caps.TlsPolicy | None:
    tls = settings.tls
    if not tls.sts_duration:
        return None
    if tls.cert is None:  # clients would be sent to where they cannot go, for as long as that
        raise BadConfig("[tls] sts_duration needs a certificate that clients trust: [tls] cert")
    port = tls.sts_port or settings.server.port
    if not port:
        raise BadConfig("[tls] sts_duration needs a port to send clients to: [tls] sts_port")
    return caps.TlsPolicy(port, int(tls.sts_duration))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
