"""Accounts: AUTHENTICATE REGISTER VERIFY, and who is let in as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.errors import NameTaken, Refused
from asynchat.chat.names import casefold
from asynchat.chat.users import lasting_id
from asynchat.wire.irc import numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.sasl import MECHANISMS, ChunkReader, Done, Mechanism, encode_chunks
from asynchat.wire.session import same_name

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession
    from asynchat.wire.session import Gap


RESERVED = "Nickname is registered; log in with SASL to use it"


class Exchange:
    """A login that is under way."""

    __slots__ = ("mechanism", "reader")

    def __init__(self, mechanism: Mechanism) -> None:
        self.mechanism = mechanism
        self.reader = ChunkReader()


@command("AUTHENTICATE", 1, before=True)
async def authenticate(session: IrcSession, message: Message) -> None:
    """Log in. (IRCv3 sasl-3.2)"""
    word = message.params[0]
    if session.sasl is None:
        _begin(session, word)
        return
    try:
        data = session.sasl.reader.feed(word)
        if data is None:
            return
        answer = await session.sasl.mechanism.step(data)
    except Refused as refused:
        session.sasl = None
        _refuse(session, refused)
        return
    if isinstance(answer, Done):
        session.sasl = None
        stays = session.house.always_on and session.user is not None and session.user.lasting
        if stays and not same_name(answer.account, session.account or ""):  # who stays is one account for good
            session.reply(numerics.ERR_SASLFAIL, text="You are here as another account")
            return
        await log_in(session, answer.account)
        session.reply(numerics.RPL_SASLSUCCESS)
    else:
        for chunk in encode_chunks(answer):
            session.send(f"AUTHENTICATE {chunk}")


def _begin(session: IrcSession, name: str) -> None:
    house = session.house
    mechanism = MECHANISMS.get(name.upper())
    if house.logins is None or mechanism is None or name.upper() not in house.mechanisms:
        if name == "*":
            session.reply(numerics.ERR_SASLABORTED)
            return
        session.reply(numerics.RPL_SASLMECHS, ",".join(house.mechanisms) or "*")
        session.reply(numerics.ERR_SASLFAIL)
        return
    link = session.link
    session.sasl = Exchange(mechanism(house.logins, address=link.address, fingerprint=link.certificate))
    session.send("AUTHENTICATE +")


_NUMERICS = {"SASL_TOO_LONG": numerics.ERR_SASLTOOLONG, "SASL_ABORTED": numerics.ERR_SASLABORTED}


def _refuse(session: IrcSession, refused: Refused) -> None:
    session.reply(_NUMERICS.get(refused.code, numerics.ERR_SASLFAIL), text=refused.text)


async def log_in(session: IrcSession, account: str) -> None:
    """Be logged in, and be told so."""
    session.account = account
    if session.user is not None:
        await session.done(session.hub.set_account(session.user, account, via=session))
        nick, mask = session.user.nick, session.user.source.mask
    else:
        nick = session.nick or "*"
        mask = f"{nick}!{session.ident or '*'}@{session.link.host}"
    session.reply(numerics.RPL_LOGGEDIN, mask, account, text=f"You are now logged in as {account}")


@command("REGISTER", 3, before=True)
async def register_account(session: IrcSession, message: Message) -> None:
    """Make an account and log in to it. (IRCv3 account-registration)"""
    wanted, email, password = message.params[:3]
    house = session.house
    nick = session.user.nick if session.user is not None else session.wanted
    name = nick if wanted == "*" else wanted
    if session.user is None and not house.register_before:
        _fail(session, "COMPLETE_CONNECTION_REQUIRED", name or "*", "You must complete the connection first")
    elif house.logins is None or not house.may_register:
        _fail(session, "DISALLOWED", name or "*", "Accounts are not made here")
    elif session.account is not None:
        _fail(session, "ALREADY_AUTHENTICATED", session.account, "You are logged in already")
    elif session.user is None and not house.opens(session.password):
        _fail(session, "COMPLETE_CONNECTION_REQUIRED", name or "*", "You must say the server's password first")
    elif not nick:
        _fail(session, "NEED_NICK", "*", "You must have a nickname first")
    elif session.user is None and session.hub.is_taken(nick) and not house.is_owned(nick):
        _fail(session, "ACCOUNT_EXISTS", name, "Somebody else is here under that name")
    elif not same_name(name, nick):
        _fail(session, "ACCOUNT_NAME_MUST_BE_NICK", name, "An account has the name of its nickname")
    else:
        try:
            account = await house.logins.register(name, password, None if email == "*" else email)
        except Refused as refused:
            _fail(session, refused.code, name, refused.text)
            return
        session.send(f":{house.name} REGISTER SUCCESS {account} :Account successfully registered")
        await log_in(session, account)


@command("VERIFY", 2, before=True)
async def verify(session: IrcSession, message: Message) -> None:
    """Verify an account, which none here needs. (IRCv3 account-registration)"""
    session.fail("VERIFY", "INVALID_CODE", message.params[0], text="There is nothing to verify")


def _fail(session: IrcSession, code: str, about: str, text: str) -> None:
    session.fail("REGISTER", code, about, text=text)


def admitted(session: IrcSession) -> bool:
    """Whether the session may come in under the name it wants; it is told why not."""
    house = session.house
    if session.account is not None and not house.is_owned(session.account):  # it was removed meanwhile
        session.account = None
    if house.accounts_required and session.account is None:
        session.fail("*", "ACCOUNT_REQUIRED", text="You must log in first (SASL)")
        session.error("You must log in first")
        return False
    if house.is_owned_by_another(session.nick, session.account):
        session.nick, taken = "", session.nick
        session.reply(numerics.ERR_NICKNAMEINUSE, taken, text=RESERVED)
        return False
    return True


async def come_in(session: IrcSession) -> tuple[bool, Gap | None]:
    """Let the session in; returns whether it has joined a user who was here already, and what it missed.

    Who logs in and asks for the nick that a user of the account bears, or for the account's own, is that user.
    """
    account, nick = session.account, session.nick
    state = session.hub.state
    there = state.people.get(lasting_id(account)) if account is not None else None
    holder = state.users.get(casefold(nick)) or (there if same_name(nick, account or "") else None)
    if holder is not None and account is not None and same_name(holder.source.account or "", account):
        return True, await session.return_to(holder.id)
    if session.hub.is_taken(nick):
        raise NameTaken(nick)
    lasting = account is not None and there is None
    await session.enter(nick, session.ident, session.realname, account=account, lasting=lasting)
    return False, None
