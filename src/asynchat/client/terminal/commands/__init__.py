"""The /commands of the desk: one function and one row each."""

from asynchat.client.terminal.commands import desk, oneself, rooms, talk
from asynchat.client.terminal.commands.table import COMMANDS, run

__all__ = ["COMMANDS", "desk", "oneself", "rooms", "run", "talk"]
