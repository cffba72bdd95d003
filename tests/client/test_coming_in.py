"""TLS, passwords and accounts, against our own server."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import asynchat
from asynchat.chat.errors import Refused
from asynchat.client.errors import Unreachable, Untrusted
from asynchat.client.registration import Identity
from asynchat.client.show import talk
from asynchat.client.talker import Talker
from asynchat.client.trust import Trust, normal
from asynchat.client.url import Url
from asynchat.net.certificates import make_certificate
from asynchat.wire.irc.message import Message
from tests.client.scripted import Scripted, welcome
from tests.net.conftest import settings

ALICE = Identity(name="alice")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for who in ("server", "client"):
        make_certificate(folder / f"{who}.pem", folder / f"{who}.key", ["localhost", "127.0.0.1"])
    both = (folder / "client.pem").read_text() + (folder / "client.key").read_text()
    (folder / "both.pem").write_text(both)
    return folder


@contextlib.asynccontextmanager
async def serving(folder: Path, **sections: dict[str, object]) -> AsyncIterator[asynchat.Server]:
    given = settings(
        tls={"cert": str(folder / "server.pem"), "key": str(folder / "server.key")},
        accounts={"kdf_cost": "test"} | sections.pop("accounts", {}),
        **sections,
    )
    async with asynchat.Server(given) as server:
        yield server


async def talks(url: Url, identity: Identity, trust: Trust | None = None, **options: bool) -> str:
    """Come in, say something and hear it; the name that one has then."""
    async with Talker(url, identity, trust=trust, **options) as client:  # type: ignore[arg-type]
        await client.join("#lobby")
        client.start_sending("#lobby", "hello")
        async for heard in client:
            if isinstance(heard, Message) and talk(heard) == ("#lobby", "hello"):
                return client.nick
    raise AssertionError("it was not heard")


def secure(server: asynchat.Server, scheme: str = "asynchats") -> Url:
    return Url("127.0.0.1", server.port, "/" if scheme == "wss" else "", scheme=scheme)


@pytest.mark.parametrize("scheme", ["asynchats", "wss"])
async def test_tls_with_an_authority_and_with_a_pin(folder: Path, scheme: str) -> None:
    async with serving(folder) as server:
        assert await talks(secure(server, scheme), ALICE, Trust(authorities=folder / "server.pem")) == "alice"
        pin = server.fingerprint
        assert pin is not None
        assert await talks(secure(server, scheme), ALICE, Trust(pin=pin)) == "alice"
        spelled = ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()
        assert await talks(secure(server, scheme), ALICE, Trust(pin=spelled)) == "alice"
        assert await talks(secure(server, scheme), ALICE, Trust(anybody=True)) == "alice"


@pytest.mark.parametrize("reconnect", [True, False])
async def test_who_is_not_trusted_is_told_nothing(folder: Path, reconnect: bool) -> None:
    async with serving(folder) as server:
        for trust in (Trust(), Trust(pin="0" * 64), Trust(authorities=folder / "client.pem")):
            with pytest.raises(Untrusted):
                await talks(secure(server), ALICE, trust, reconnect=reconnect)


async def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    async with serving(folder) as server:
        with pytest.raises(Untrusted, match="nowhere"):
            await talks(secure(server), ALICE, Trust(certificate=folder / "nowhere.pem"))


async def test_a_server_without_tls_is_told_from_one_that_is_not_there() -> None:
    async with asynchat.Server(port=0) as server:
        with pytest.raises(Unreachable, match="does not speak TLS"):
            await talks(secure(server), ALICE, Trust(anybody=True))


@pytest.mark.parametrize("pin", ["", "abc", "0" * 63 + "g"])
def test_what_is_no_pin_is_refused(pin: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        normal(pin)


@pytest.mark.parametrize("mechanisms", [["PLAIN"], ["SCRAM-SHA-256"], ["PLAIN", "SCRAM-SHA-256"]])
async def test_an_account_is_logged_in_to(folder: Path, mechanisms: list[str]) -> None:
    async with serving(folder, accounts={"mechanisms": mechanisms, "mode": "required"}) as server:
        assert server._life.logins is not None
        await server._life.logins.register("alice", "s€cret", None)
        url = Url("127.0.0.1", server.port)
        assert await talks(url, Identity(name="alice", account="alice", password="s€cret")) == "alice"
        for identity, code in [
            (Identity(name="alice", account="alice", password="wrong"), "BAD_PASSWORD"),
            (Identity(name="alice", account="alice"), "BAD_PASSWORD"),
            (Identity(name="nat"), "ACCOUNT_REQUIRED"),
        ]:
            with pytest.raises(Refused) as refused:
                await talks(url, identity)
            assert refused.value.code == code


async def test_a_second_device_is_the_same_person(folder: Path) -> None:
    async with serving(folder) as server:
        assert server._life.logins is not None
        await server._life.logins.register("alice", "secret", None)
        url, alice = Url("127.0.0.1", server.port), Identity(name="alice", account="alice", password="secret")
        async with Talker(url, alice) as first:
            assert await talks(url, alice) == "alice" == first.nick
            with pytest.raises(Refused) as refused:
                await talks(url, ALICE)
            assert refused.value.code == "NAME_RESERVED"


async def test_a_name_that_is_registered_is_not_replaced_by_another(folder: Path) -> None:
    async with serving(folder) as server:
        assert server._life.logins is not None
        await server._life.logins.register("alice", "secret", None)
        with pytest.raises(Refused) as refused:
            await talks(Url("127.0.0.1", server.port), ALICE)
        assert refused.value.code == "NAME_RESERVED"


async def test_a_certificate_logs_in(folder: Path) -> None:
    async with serving(folder) as server:
        assert server._life.logins is not None
        await server._life.logins.register("alice", "secret", None)
        from asynchat.net.certificates import fingerprint

        await server._life.logins.add_certificate("alice", fingerprint(folder / "client.pem"))
        trust = Trust(pin=server.fingerprint, certificate=folder / "both.pem")
        assert await talks(secure(server), Identity(name="alice", certificate=True), trust) == "alice"


async def test_the_gate(folder: Path) -> None:
    async with serving(folder, server={"password": "open sesame", "port": 0}) as server:
        url = Url("127.0.0.1", server.port)
        assert await talks(url, Identity(name="alice", gate="open sesame")) == "alice"
        for gate in (None, "wrong"):
            with pytest.raises(Refused) as refused:
                await talks(url, Identity(name="alice", gate=gate))
            assert refused.value.code == "BAD_PASSWORD"


async def test_a_password_is_said_in_clear_on_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    poor = welcome(caps="sasl=PLAIN") | {"AUTHENTICATE PLAIN": ":srv 904 alice :no"}
    async with Scripted(poor) as server:
        url = Url("127.0.0.1", server.port)
        with pytest.raises(Refused, match="BAD_PASSWORD"):
            await talks(url, Identity(name="alice", account="alice", password="secret"))
        monkeypatch.setattr("asynchat.client.url.LOCAL", ())
        with pytest.raises(Refused, match="NO_TLS"):
            await talks(url, Identity(name="alice", account="alice", password="secret"))
    assert server.said("AUTHENTICATE") == ["AUTHENTICATE PLAIN"]


async def test_a_server_that_lets_in_without_a_proof_is_not_believed() -> None:
    liar = welcome(caps="sasl=SCRAM-SHA-256") | {"AUTHENTICATE SCRAM-SHA-256": ":srv 903 alice :welcome"}
    async with Scripted(liar) as server:
        with pytest.raises(Refused, match="SASL_FAILED"):
            await talks(Url("127.0.0.1", server.port), Identity(name="alice", account="alice", password="secret"))


async def test_no_password_is_in_what_is_written_of_an_identity(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = repr(Identity(name="alice", account="alice", password="secret", gate="sesame"))
    assert "secret" not in shown
    assert "sesame" not in shown
