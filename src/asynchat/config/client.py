"""The settings of a client: client.toml, and the options of `join`, `send` and the like."""

from __future__ import annotations

from dataclasses import dataclass

from asynchat.config.values import setting, switch, text, texts


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """[default] and [profile.NAME] of client.toml"""

    url: str = setting("asynchat://localhost:12345", text, "the server", option="--url", metavar="URL")
    name: str | None = setting(None, text, "your name", option="--name", metavar="NAME")
    rooms: tuple[str, ...] = setting(("#lobby",), texts, "the rooms to enter", option="--room", metavar="NAME")
    account: str | None = setting(None, text, "the account to log in to (SASL)", option="--account", metavar="NAME")
    password_file: str | None = setting(
        None,
        text,
        "a file with the password: of the account, or without one what the server asks of everybody",
        option="--password-file",
        metavar="FILE",
    )
    password_command: str | None = setting(
        None, text, "a command that prints the password instead; no shell runs it, so `sh -c '…'` if it needs one"
    )
    server_password_file: str | None = setting(
        None,
        text,
        "a file with what the server asks of everybody, beside an account's password",
        option="--server-password-file",
        metavar="FILE",
    )
    tls: bool = setting(False, switch, "speak TLS, whatever the URL says", option="--tls")
    ca: str | None = setting(
        None, text, "a file of certificates to trust instead of the system's", option="--ca", metavar="FILE"
    )
    cert: str | None = setting(
        None,
        text,
        "a file with your own certificate and its key, which logs in to the account (SASL EXTERNAL)",
        option="--cert",
        metavar="FILE",
    )
    pin: str | None = setting(
        None, text, "the SHA-256 of the server's certificate, the only one to trust", option="--pin", metavar="SHA256"
    )
    insecure: bool = setting(False, switch, "trust whatever server answers", option="--insecure")
