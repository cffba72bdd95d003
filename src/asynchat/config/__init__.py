"""Every setting, declared once: the TOML file, the options, the environment and the docs derive from it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asynchat.config.client import ClientSettings
    from asynchat.config.server import (
        AccountSettings,
        HistorySettings,
        LimitSettings,
        LogSettings,
        OperatorSettings,
        ServerSettings,
        Settings,
        StoreSettings,
        TlsSettings,
        WebSettings,
        declared,
    )
    from asynchat.config.values import (
        BadConfig,
        age,
        changed,
        duration,
        number,
        one_of,
        port_number,
        read,
        room_name,
        setting,
        size,
        switch,
        text,
        texts,
    )

__all__ = [
    "AccountSettings",
    "BadConfig",
    "ClientSettings",
    "HistorySettings",
    "LimitSettings",
    "LogSettings",
    "OperatorSettings",
    "ServerSettings",
    "Settings",
    "StoreSettings",
    "TlsSettings",
    "WebSettings",
    "age",
    "changed",
    "declared",
    "duration",
    "number",
    "one_of",
    "port_number",
    "read",
    "room_name",
    "setting",
    "size",
    "switch",
    "text",
    "texts",
]

_WHERE = {
    **dict.fromkeys(("ClientSettings",), "asynchat.config.client"),
    **dict.fromkeys(
        (
            "AccountSettings",
            "HistorySettings",
            "LimitSettings",
            "LogSettings",
            "OperatorSettings",
            "ServerSettings",
            "Settings",
            "StoreSettings",
            "TlsSettings",
            "WebSettings",
            "declared",
        ),
        "asynchat.config.server",
    ),
    **dict.fromkeys(
        (
            "BadConfig",
            "age",
            "changed",
            "duration",
            "number",
            "one_of",
            "port_number",
            "read",
            "room_name",
            "setting",
            "size",
            "switch",
            "text",
            "texts",
        ),
        "asynchat.config.values",
    ),
}
"""A client has no use for the settings of a server, and its start is a feature."""


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
