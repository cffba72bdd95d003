"""What progval/irctest needs to know to test asynchat; `tests/irctest/run` runs it.

IRCTEST_BIN       the server's command line (default: asynchat)
IRCTEST_CLAIMS    all (default), none, or some of core,caps,history,multiline,markers,redact,metadata; what is
                  claimed turns "skipped: unsupported" into a failure
IRCTEST_REGISTER  wire (default) or cli: accounts are made with REGISTER, or with `asynchat admin account add`
IRCTEST_STORE     memory (default) or file: both must pass the same tests
IRCTEST_ALWAYS_ON 1: logged-in users stay while away
"""

import json
import os
import shlex
import shutil
import subprocess
from typing import Any

from irctest import patma
from irctest.basecontrollers import BaseServerController, DirectoryBasedController
from irctest.runner import NotImplementedByController
from irctest.specifications import Capabilities as C
from irctest.specifications import OptionalBehaviors as O

_GROUPS = {
    "core": (
        frozenset({C.MULTI_PREFIX}),
        frozenset(
            {
                O.CAP_REQ_MINUS,
                O.MULTI_JOIN,
                O.MULTI_KICK,
                O.MULTI_PRIVMSG,
                O.BAN_EXCEPTION_MODE,
                O.INVITE_EXCEPTION_MODE,
                O.INVITE_OVERRIDES_LIMIT,
                O.INVITE_LIST,
                O.NO_CTCP,
                O.ELIST_M,
                O.ELIST_N,
                O.ELIST_U,
                O.ELIST_C,
                O.ELIST_T,
                O.MULTI_NAMES_COMMAND,
            }
        ),
    ),
    "caps": (
        frozenset(
            {
                C.ACCOUNT_NOTIFY,
                C.ACCOUNT_TAG,
                C.AWAY_NOTIFY,
                C.BATCH,
                C.ECHO_MESSAGE,
                C.EXTENDED_JOIN,
                C.EXTENDED_MONITOR,
                C.LABELED_RESPONSE,
                C.MESSAGE_TAGS,
                C.SERVER_TIME,
                C.SETNAME,
            }
        ),
        frozenset({O.SASL_AFTER_REGISTRATION, O.SASL_REAUTHENTICATION}),
    ),
    "history": (frozenset(), frozenset()),
    "multiline": (frozenset({C.MULTILINE}), frozenset()),
    "markers": (frozenset({C.READ_MARKER}), frozenset()),
    "redact": (frozenset({C.MESSAGE_REDACTION}), frozenset()),
    "metadata": (frozenset(), frozenset({O.METADATA_BEFORE_CONNECT})),
}
_claims = os.environ.get("IRCTEST_CLAIMS", "all")
_on = set(_GROUPS) if _claims == "all" else {c for c in _claims.split(",") if c in _GROUPS}


def toml(d: dict[str, Any], prefix: str = "") -> str:
    """Enough TOML for flat tables and sub-tables (JSON scalars and arrays are valid TOML)."""
    out = [f"{k} = {json.dumps(v)}" for k, v in d.items() if not isinstance(v, dict) and v is not None]
    for k, v in d.items():
        if isinstance(v, dict):
            name = f"{prefix}{k}"
            out += ["", f"[{name}]", toml(v, name + ".")]
    return "\n".join(out)


class AsynchatController(BaseServerController, DirectoryBasedController):
    software_name = "asynchat"
    _port_wait_interval = 0.02
    supported_sasl_mechanisms = {"PLAIN", "SCRAM-SHA-256"}
    supports_sts = True
    extban_mute_char = "m" if "core" in _on else None
    capabilities = frozenset().union(*(_GROUPS[g][0] for g in _on))
    optional_behaviors = frozenset().union(*(_GROUPS[g][1] for g in _on))
    isupport: dict[str, Any] = (
        {
            "AWAYLEN": patma.ANYSTR,
            "BOT": "B",
            "CASEMAPPING": "ascii",
            "CHANMODES": patma.ANYSTR,
            "CHANNELLEN": patma.ANYSTR,
            "CHANTYPES": patma.StrRe("#.*"),
            "ELIST": patma.StrRe(".*U.*"),
            "EXCEPTS": None,
            "INVEX": None,
            "KICKLEN": patma.ANYSTR,
            "MONITOR": patma.ANYSTR,
            "NETWORK": patma.ANYSTR,
            "NICKLEN": patma.ANYSTR,
            "PREFIX": patma.StrRe(r"\(.*ohv\).*@%\+"),
            "STATUSMSG": patma.ANYSTR,
            "TARGMAX": patma.ANYSTR,
            "TOPICLEN": patma.ANYSTR,
            "UTF8ONLY": None,
            "WHOX": None,
        }
        if "core" in _on
        else {}
    )

    def _settings(self, hostname, port, password, ssl, websocket_hostname, websocket_port) -> dict[str, Any]:
        assert self.directory
        t = self.test_config
        store = os.environ.get("IRCTEST_STORE", "memory")
        cfg: dict[str, Any] = {
            "server": {
                "name": "My.Little.Server",  # checked by the suite (links, whois, who, time, 004)
                "network": "TestNet",
                "password": password,  # PASS for everybody; absent = open
                "listen": [f"tcp://127.0.0.1:{p}" for p in (self.port, websocket_port) if p],
                "greeting": "none",  # the suite must never meet a banner, however slow the machine
            },
            "store": {"path": "memory"}
            if store == "memory"
            else {"path": str(self.directory / "asynchat.db"), "durability": "process"},
            "accounts": {
                "register": True,
                "register_before_connect": t.account_registration_before_connect,
                "require_email": t.account_registration_requires_email,
                "mechanisms": sorted(self.supported_sasl_mechanisms),
                "kdf_cost": "test",  # cheap password hashing, for tests
                "always_on": os.environ.get("IRCTEST_ALWAYS_ON")
                == "1",  # off as in Ergo's own controller; the bouncer tests want it on
            },
            "history": {"max_request": 100, "replay": 0},
            "limits": {
                "flood": False,  # no throttling of messages or connections
                "nick": 32,
                "channel": 64,
                "topic": 390,
                "kick": 390,
                "away": 200,
                "monitor": 100,
                "max_line": "16KiB",
                "multiline_bytes": 4096,
                "multiline_lines": 32,
                "metadata_subs": 100,
                "metadata_keys": 1000,
                "ping_interval": "120s",
                "register_timeout": "60s",
            },
            "operators": {"operuser": {"password": "operpassword"}},
            "log": {"level": "debug" if self.debug_mode else "warning"},
        }
        if ssl:
            self.gen_ssl()
            cfg["tls"] = {"cert": str(self.pem_path), "key": str(self.key_path)}
        if websocket_port:
            cfg["web"] = {"allowed_origins": ["*"]}
        return cfg

    def run(
        self,
        hostname: str,
        port: int,
        *,
        password: str | None,
        ssl: bool,
        run_services: bool,
        faketime: str | None,
        websocket_hostname: str | None = None,
        websocket_port: int | None = None,
    ) -> None:
        assert self.proc is None
        self.port, self.hostname = port, hostname
        self.create_config()
        assert self.directory
        self.config_path = self.directory / "asynchat.toml"
        cfg = self._settings(hostname, port, password, ssl, websocket_hostname, websocket_port)
        self.config_path.write_text(toml(cfg))
        self._prefix = []
        if faketime and shutil.which("faketime"):
            # libfaketime also bends CLOCK_MONOTONIC unless told not to; event loops sleep on it
            self._prefix = ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", faketime]
            self.faketime_enabled = True
        self._start()

    def _start(self) -> None:
        self.proc = self.execute(
            [
                *self._prefix,
                *shlex.split(os.environ.get("IRCTEST_BIN", "asynchat")),
                "serve",
                "--no-console",
                "--insecure",
                "--data",
                str(self.directory / "data"),
                "--config",
                str(self.config_path),
            ],
            proc_name="asynchat",
        )

    def restart(self) -> None:
        """Graceful restart on the same store (used by durability tests, and by Ergo's always-on tests)."""
        self.kill_proc()
        self.port_open = False
        self._start()
        self.wait_for_port()

    def crash(self) -> None:
        """kill -9 and start again on the same store (for our own durability tests)."""
        assert self.proc
        self.proc.kill()
        self.proc.wait(10)
        self.proc = None
        self.port_open = False
        self._start()
        self.wait_for_port()

    def wait_for_services(self) -> None:
        pass  # accounts are built in

    def registerUser(self, case, username: str, password: str | None = None) -> None:
        if not case.run_services:
            raise ValueError("Attempted to register a nick, but `run_services` is not True.")
        assert password
        how = os.environ.get("IRCTEST_REGISTER", "wire")
        if how == "cli" or len(password.encode()) > 300:  # longer ones do not fit in one line
            r = subprocess.run(
                [
                    *shlex.split(os.environ.get("IRCTEST_BIN", "asynchat")),
                    "admin",
                    "account",
                    "add",
                    username,
                    "--data",
                    str(self.directory / "data"),
                    "--password-stdin",
                ],
                input=password.encode(),
                capture_output=True,
                check=False,
                timeout=30,
            )
            if r.returncode in (2, 64):
                raise NotImplementedByController("account registration of long passwords")
            assert r.returncode == 0, r.stderr
            return
        client = case.addClient(show_io=False)
        case.sendLine(client, "NICK " + username)
        case.sendLine(client, "USER r e g :user")
        while case.getRegistrationMessage(client).command != "001":
            pass
        case.getMessages(client)
        case.sendLine(client, f"REGISTER {username} * :{password}")
        msgs = case.getMessages(client)
        assert any(m.command == "REGISTER" and m.params[0] == "SUCCESS" for m in msgs), msgs
        case.sendLine(client, "QUIT")
        case.assertDisconnected(client)


def get_irctest_controller_class() -> type[AsynchatController]:
    return AsynchatController
