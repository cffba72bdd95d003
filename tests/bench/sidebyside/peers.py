"""The servers that are measured side by side: how each is found, configured and started.

A further server is a further class and its place in PEERS.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.machine import LOOPBACK, asynchat_argv

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "asynchat-bench"
CFLAGS = ["-O2", "-Wall", "-Wextra"]
CAPS = "server-time message-tags echo-message"
"""What a modern IRC client asks for, as far as it shows on every line."""


def digest(path: Path) -> str:
    """What tells this source from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def built(name: str) -> Path:
    """The compiled program; compiled now unless this very source was compiled before."""
    source = HERE / f"{name}.c"
    program = CACHE / f"{name}-{digest(source)}"
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = program.with_suffix(f".{os.getpid()}")
        subprocess.run([os.environ.get("CC", "cc"), *CFLAGS, "-o", str(fresh), str(source)], check=True)
        fresh.rename(program)
    return program


class Peer:
    """How one kind of server is found, configured and started."""

    name = ""
    window = 500  # connections being set up at once
    most = 100_000  # clients it can hold
    setup_s = 0.5  # for the estimate: seconds per 1000 clients connected
    tells_joins = True  # who comes into a room is told to all
    lacks: tuple[str, ...] = ()  # scenarios it cannot take part in
    load: tuple[str, ...] = ()  # further options for the generator

    def missing(self) -> str | None:
        """Why it cannot run here, or None."""
        return None

    def command(self, folder: Path, port: int) -> list[str]:
        """Write the configuration into the folder; return the command line."""
        raise NotImplementedError

    def version(self) -> str:
        return ""

    def can(self, scenario: str, clients: int) -> bool:
        return scenario not in self.lacks and clients <= self.most


class Limit(Peer):
    """The C yardstick. It gets IRC-sized lines and adds an IRC-sized prefix: as many bytes each way as the peers."""

    name, setup_s, lacks = "limit", 0.1, ("join",)
    tells_joins = False
    load = ("--dialect", "lines", "--hello", r"%r\n", "--say", r"PRIVMSG %r :%t\r\n")

    def command(self, folder: Path, port: int) -> list[str]:
        return [str(built("limit")), str(port), "--prefix", "17"]

    def version(self) -> str:
        return "limit.c " + digest(HERE / "limit.c")


class Program(Peer):
    """A server that is one program: from an environment variable, or from PATH."""

    program = ""
    variable = ""
    version_option = "--version"

    def argv(self) -> list[str]:
        if given := self.variable and shlex.split(os.environ.get(self.variable, "")):
            program = str(Path(given[0]).absolute()) if os.sep in given[0] else given[0]  # it runs in another folder
            return [program, *given[1:]]
        found = shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        return [found or self.program]

    def missing(self) -> str | None:
        if shutil.which(self.argv()[0]):
            return None
        return f"{self.argv()[0]} is not there" + (f"; set {self.variable}" if self.variable else "")

    def version(self) -> str:
        try:
            done = subprocess.run(
                [*self.argv(), self.version_option], check=False, capture_output=True, text=True, timeout=20
            )
        except (OSError, subprocess.TimeoutExpired):
            return "unknown"
        return (done.stdout or done.stderr).strip().split("\n")[0][:60]


class Ngircd(Program):
    """ngircd, whose members of all rooms are one list."""

    name = program = "ngircd"
    version_option = "-V"
    window = 32  # its accept queue is short: with more in flight, connections get stuck
    setup_s = 1.0

    def command(self, folder: Path, port: int) -> list[str]:
        root = "ServerUID = 0\nServerGID = 0\n" if os.geteuid() == 0 else ""
        config = folder / "ngircd.conf"
        config.write_text(
            f"[Global]\nName = bench.test\nInfo = bench\nMotdPhrase = hi\n{root}"
            f"Listen = {LOOPBACK}\nPorts = {port}\n"
            "[Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 100\nMaxNickLength = 30\n"
            "MaxPenaltyTime = 0\nPingTimeout = 300\nPongTimeout = 100\n"
            "[Options]\nDNS = no\nIdent = no\nPAM = no\n"
        )
        return [*self.argv(), "-n", "-f", str(config)]


class Inspircd(Program):
    """InspIRCd, which lets newcomers in once a second."""

    name = program = "inspircd"
    window = 2000  # completes registrations once a second, so that a window's worth is let in per second
    setup_s = 1.2

    def command(self, folder: Path, port: int) -> list[str]:
        config = folder / "inspircd.conf"
        (folder / "motd").write_text("hi\n")
        config.write_text(
            f'''<server name="bench.test" description="bench" network="bench" id="001">
<admin name="a" nick="a" email="a@localhost">
<bind address="{LOOPBACK}" port="{port}" type="clients">
<connect name="main" allow="*" timeout="60" threshold="1000000" commandrate="1000000000" fakelag="no" pingfreq="600"
  hardsendq="1M" softsendq="1M" recvq="1M" localmax="100000" globalmax="100000" limit="100000" maxchans="100"
  resolvehostnames="no" maxconnwarn="no" useconnectban="no" useconnflood="no" modes="">
<files motd="{folder}/motd">
<pid file="{folder}/pid">
<options defaultmodes="nt" syntaxhints="no" welcomenotice="no" nosnoticestack="no">
<performance netbuffersize="65536" somaxconn="4096" softlimit="100000" clonesonconnect="no" quietbursts="yes">
<security maxtargets="20">
<limits maxnick="30" maxchan="64" maxline="512">
<whowas groupsize="0" maxgroups="0" maxkeep="1d">
<dns server="{LOOPBACK}" timeout="1">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/log">
'''
        )
        root = ["--runasroot"] if os.geteuid() == 0 else []
        return [*self.argv(), "--nofork", *root, "--config", str(config)]


class Miniircd(Program):
    """miniircd, a single Python file on select()."""

    name = program = "miniircd"
    variable = "MINIIRCD"
    window, most, setup_s = 8, 1000, 0.5  # select(): fewer than 1024 sockets, and an accept queue of 5

    def argv(self) -> list[str]:
        argv = super().argv()
        path = Path(argv[0])
        if path.is_dir():
            path = path / "miniircd"
        script = path.is_file() and b"python" in path.read_bytes()[:60]
        return [sys.executable, str(path), *argv[1:]] if script else argv

    def command(self, folder: Path, port: int) -> list[str]:
        root = ["--setuid", "root"] if os.geteuid() == 0 else []
        return [*self.argv(), *root, "--listen", LOOPBACK, "--ports", str(port)]


class Ergo(Program):
    """Ergo, with its history in memory."""

    name = program = "ergo"
    variable = "ERGO"
    setup_s = 1.0

    def command(self, folder: Path, port: int) -> list[str]:
        config = folder / "ergo.yaml"
        config.write_text(
            f"""network: {{name: Bench}}
server:
  name: bench.test
  listeners: {{"{LOOPBACK}:{port}": {{}}}}
  casemapping: ascii
  enforce-utf8: true
  lookup-hostnames: false
  check-ident: false
  max-sendq: 1M
  ip-limits: {{count: false, throttle: false}}
  ip-cloaking: {{enabled: false}}
  idle-timeouts: {{registration: 60s, ping: 10m, disconnect: 12m}}
accounts:
  authentication-enabled: true
  registration: {{enabled: true, bcrypt-cost: 4}}
  multiclient: {{enabled: true, allowed-by-default: true, always-on: opt-in}}
channels: {{default-modes: +ntC, max-channels-per-client: 100, registration: {{enabled: true}}}}
limits: {{nicklen: 32, identlen: 20, realnamelen: 150, channellen: 64, awaylen: 390, kicklen: 390, topiclen: 390,
  monitor-entries: 100, whowas-entries: 100, chan-list-modes: 100, registration-messages: 1024,
  multiline: {{max-bytes: 4096, max-lines: 100}}}}
fakelag: {{enabled: false}}
history: {{enabled: true, channel-length: 2048, client-length: 256, chathistory-maxmessages: 1000,
  restrictions: {{expire-time: 1w, query-cutoff: none}}}}
languages: {{enabled: false}}
logging: [{{method: stderr, type: "* -userinput -useroutput", level: warn}}]
lock-file: "{folder}/lock"
datastore: {{path: "{folder}/ergo.db", autoupgrade: true}}
"""
        )
        return [*self.argv(), "run", "--conf", str(config)]


class Asynchat(Program):
    """Ourselves, with a store of this variant; with `caps`, under a load that asks for these capabilities.

    Unless ASYNCHAT says otherwise, it is that of the Python which runs this.
    """

    variable = "ASYNCHAT"

    def __init__(self, variant: str, caps: str = "") -> None:
        self.variant = variant
        self.name = f"asynchat-{variant}{'+caps' if caps else ''}"
        if caps:
            self.load = ("--caps", caps)
            self.lacks = ("idle", "connect", "join")  # where nobody talks

    def argv(self) -> list[str]:
        return super().argv() if os.environ.get(self.variable) else asynchat_argv()

    def command(self, folder: Path, port: int) -> list[str]:
        config = folder / "server.toml"
        path = "memory" if self.variant == "memory" else str(folder / "asynchat.db")
        durability = f'durability = "{self.variant}"\n' if self.variant != "memory" else ""
        config.write_text(f'[limits]\nflood = false\n[store]\npath = "{path}"\n{durability}')
        where = ["--host", LOOPBACK, "--port", str(port), "--data", str(folder), "--config", str(config)]
        return [*self.argv(), "serve", *where, "--no-console"]


OURS = (Asynchat("sync"), Asynchat("process"), Asynchat("memory"), Asynchat("sync", CAPS))
PEERS: dict[str, Peer] = {p.name: p for p in (Limit(), Ngircd(), Inspircd(), Miniircd(), Ergo(), *OURS)}
