"""The settings of a server: server.toml, and the options of `serve`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from asynchat.config.values import (
    BadConfig,
    age,
    changed,
    duration,
    file_name,
    like,
    line,
    number,
    one_of,
    port_number,
    read,
    room_name,
    server_name,
    setting,
    size,
    switch,
    text,
    texts,
)


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """[server]"""

    name: str = setting(
        "asynchat", server_name, "what IRC numerics call this server", option="--server-name", metavar="NAME"
    )
    network: str = setting("asynchat", line, "the name of the network, for greetings and 005")
    listen: tuple[str, ...] | None = setting(
        None,
        texts,
        "an address, [HOST]:PORT or unix://PATH, with ?greeting=nick if need be; replaces --port",
        option="--listen",
        metavar="ADDRESS",
    )
    host: tuple[str, ...] = setting(
        ("127.0.0.1", "::1"), texts, "an address of this machine to listen on", option="--host", metavar="HOST"
    )
    port: int = setting(12345, port_number, "the port to listen on; 0 for any", option="--port", metavar="PORT")
    room: str = setting(
        "#lobby", room_name, "the room that people without a client come into", option="--room", metavar="NAME"
    )
    password: str | None = setting(None, text, "what everybody must know to come in; absent = open")
    motd: str | None = setting(None, text, "a file with the message of the day", option="--motd", metavar="FILE")
    greeting: str = setting(
        "text", one_of("text", "nick", "none"), "what is said to who stays silent", option="--greeting"
    )
    greeting_after: float = setting(1.0, duration, "after how much silence", metavar="DURATION")


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """[store]"""

    path: str = setting("asynchat.db", file_name, 'the file, relative to --data; or "memory"')
    durability: str = setting(
        "sync", one_of("sync", "process"), "sync survives a power cut, process survives kill -9", option="--durability"
    )
    keep: float = setting(0.0, age, "for how long what was said is kept, or forever", option="--keep", metavar="AGE")
    keep_lines: int = setting(0, number, "how many lines of each room are kept; 0: all")


@dataclass(frozen=True, kw_only=True)
class TlsSettings:
    """[tls]"""

    cert: str | None = setting(
        None,
        text,
        "the certificate and its chain (PEM); TLS is spoken on the same port",
        option="--tls-cert",
        metavar="FILE",
    )
    key: str | None = setting(
        None, text, "its key (PEM), if that is in another file", option="--tls-key", metavar="FILE"
    )
    mode: str | None = setting(
        None, one_of("auto"), "auto is a certificate of our own making, kept beside the store", option="--tls"
    )
    handshake_timeout: float = setting(10.0, duration, "how long a handshake may take", least=0.1)
    sts_duration: float = setting(
        0.0, duration, "for how long IRC clients that came with TLS shall come with TLS only (sts); 0: not told"
    )
    sts_port: int = setting(0, port_number, "where those that came without TLS are sent; 0: `[server] port`")


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """[web]"""

    allowed_origins: tuple[str, ...] = setting(
        (),
        texts,
        'pages that may open a WebSocket, as "https://chat.example.org", besides those of this host; "*": any',
    )


@dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """[accounts]"""

    mode: str = setting(
        "optional",
        one_of("off", "optional", "required"),
        "whether there are accounts, and everybody needs one",
        option="--accounts",
    )
    register: bool = setting(True, switch, "whether people make accounts themselves")
    register_before_connect: bool = setting(False, switch, "also before they have come in")
    require_email: bool = setting(False, switch, "an account needs an e-mail address")
    mechanisms: tuple[str, ...] = setting(
        ("PLAIN", "SCRAM-SHA-256", "EXTERNAL"), texts, "the ways to log in that IRC clients are offered"
    )
    kdf_cost: str = setting(
        "normal", one_of("normal", "test"), "what a guess at a password costs; test needs memory or --insecure"
    )
    always_on: bool = setting(True, switch, "a logged-in user stays a member while away")


@dataclass(frozen=True, kw_only=True)
class OperatorSettings:
    """[operators.NAME]"""

    password: str = setting("", text, "what makes one an operator of the server")


@dataclass(frozen=True, kw_only=True)
class HistorySettings:
    """[history]"""

    max_request: int = setting(100, number, "lines that one request gets", least=1)
    replay: int = setting(20, number, "lines shown on joining to clients that cannot ask")


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """[limits]"""

    flood: bool = setting(True, switch, "slow down who talks too fast")
    max_clients: int = setting(
        0, number, "how many connections; 0: as many as descriptors allow", option="--max-clients", metavar="N"
    )
    max_line: int = setting(
        16 * 1024, size, "the longest line of text; IRC keeps 512", option="--max-line", metavar="SIZE", least=512
    )
    send_queue: int = setting(
        1024 * 1024,
        size,
        "unsent bytes at which a client that does not read is put out",
        option="--send-queue",
        metavar="SIZE",
        least=64 * 1024,
    )
    read_buffer: int = setting(
        64 * 1024, size, "the most that is read at once", option="--read-buffer", metavar="SIZE", least=16
    )
    nick: int = setting(32, number, "characters of a name", least=1)
    channel: int = setting(64, number, "bytes of a room's name", least=2)
    topic: int = setting(390, number, "bytes of a topic", least=1)
    kick: int = setting(390, number, "bytes of a reason", least=1)
    away: int = setting(200, number, "bytes of an away text", least=1)
    monitor: int = setting(100, number, "names that a client watches")
    multiline_bytes: int = setting(65_536, size, "bytes of a text of several lines", least=512)
    multiline_lines: int = setting(1000, number, "lines of a text", least=1)
    metadata_subs: int = setting(100, number, "words of metadata that a client follows")
    metadata_keys: int = setting(1000, number, "words of metadata kept with a user or a room")
    ping_interval: float = setting(
        60.0, duration, "silence after which a client is pinged", option="--ping-interval", metavar="DURATION", least=1
    )
    register_timeout: float = setting(60.0, duration, "how long a name may take", least=1)
    resume_window: float = setting(
        600.0, duration, "how long a resume key is valid", option="--resume-window", metavar="DURATION"
    )


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """[log]"""

    level: str = setting(
        "info", one_of("debug", "info", "warning", "error"), "what is worth a line", option="--log-level"
    )
    format: str = setting("text", one_of("text", "json"), "how a line is written", option="--log-format")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a server, as in the configuration file; made by `of`, or of a file by `read`.

    Its sections are `server`, `store`, `tls`, `web`, `accounts`, `operators` (each by its name), `history`, `limits`
    and `log`; what is in each, and its default, is in the [reference of settings](settings.md). They never change.
    """

    server: ServerSettings = field(default_factory=ServerSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)
    web: WebSettings = field(default_factory=WebSettings)
    accounts: AccountSettings = field(default_factory=AccountSettings)
    operators: Mapping[str, OperatorSettings] = field(default_factory=dict)
    history: HistorySettings = field(default_factory=HistorySettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @classmethod
    def of(cls, values: Mapping[str, Mapping[str, object]]) -> Settings:
        """The defaults with these on top: section to name to value, as `{"limits": {"flood": False}}`.

        A value is as in TOML, so `"10m"` is a duration and `"16KiB"` a size; a number is seconds or bytes.

        Raises:
            BadConfig: an unknown name, or a value that does not fit.
        """
        return cls().with_values(values, "Settings")

    @classmethod
    def read(cls, path: str | Path) -> Settings:
        """The defaults with those of a TOML file on top; no other file and no variable is looked at.

        Raises:
            BadConfig: it cannot be read, is no TOML, or has an unknown name, or a value that does not fit.
        """
        return cls().with_values(read(Path(path)), str(path))

    def with_values(self, values: Mapping[str, object], source: str) -> Settings:
        """These settings with others on top: section to name to value, as text or as TOML has it.

        Raises:
            BadConfig: an unknown name, or a value that does not fit; it tells `source`.
        """
        sections: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        for section, table in values.items():
            if section not in sections or not isinstance(table, Mapping):
                raise BadConfig(f"{source}: there is no section [{section}]{like(section, sections)}")
            if section == "operators":
                sections[section] = {
                    name: _operator(each, f"{source}: [operators.{name}]") for name, each in table.items()
                }
            else:
                sections[section] = changed(sections[section], table, f"{source}: [{section}]")
        return Settings(**sections)


def _operator(value: object, where: str) -> OperatorSettings:
    operator = changed(OperatorSettings(), _table(value, where), where)
    if not operator.password:  # anybody would know it
        raise BadConfig(f"{where} password is missing")
    return operator


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadConfig(f"{where} is no section")
    return value


def declared() -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    """Every setting, with its section."""
    default = Settings()
    for section in fields(default):
        if section.name == "operators":
            yield from (("operators.NAME", each) for each in fields(OperatorSettings))
        else:
            yield from ((section.name, each) for each in fields(getattr(default, section.name)))
