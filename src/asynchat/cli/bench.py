"""`asynchat bench`: measure a server under load."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import signal
import socket
import sys
from contextlib import suppress

import click

from asynchat.cli import FAILURE, INTERRUPTED, OK
from asynchat.cli.exits import exits
from asynchat.cli.invocation import Invocation
from asynchat.cli.login import client_settings, password_from, url_option
from asynchat.cli.process import loop_runner, raise_descriptor_limit
from asynchat.client.crowd import IN_FLIGHT
from asynchat.client.errors import Unreachable
from asynchat.client.figures import Figures, Spread
from asynchat.client.load import LEAST_TEXT, MOST_TEXT, SETTLE_S, Load
from asynchat.client.url import Url
from asynchat.net.throttle import BURST, PER_SECOND

SPARE_DESCRIPTORS = 32
"""Those that are not connections."""
LIVE_S = 0.5
"""How often the progress is shown anew."""


@click.command("bench")
@url_option
@click.option("--clients", type=click.IntRange(2), default=100, show_default=True, metavar="N", help="connections")
@click.option("--rooms", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="rooms they share out")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1_000_000),
    default=10.0,
    show_default=True,
    metavar="N",
    help=f"lines per second in each room; 0: as many as the server takes, {IN_FLIGHT} on their way in each room",
)
@click.option(
    "--bytes",
    "text_bytes",
    type=click.IntRange(LEAST_TEXT, MOST_TEXT),
    default=100,
    show_default=True,
    metavar="N",
    help=f"bytes of text in a line, {LEAST_TEXT} to {MOST_TEXT}",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 86_400, min_open=True),
    default=10.0,
    show_default=True,
    metavar="N",
    help="for how long they talk",
)
@click.option("--json", "as_json", is_flag=True, help="print the figures as one JSON object")
@click.option("--yes", is_flag=True, help="load a server on another machine too: it is yours, and others know")
@click.option(
    "--password-file", envvar=["ASYNCHAT_PASSWORD_FILE"], metavar="FILE", help="a file with the server's password"
)
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    url: str | None,
    clients: int,
    rooms: int,
    rate: float,
    text_bytes: int,
    seconds: float,
    as_json: bool,
    yes: bool,
    password_file: str | None,
) -> None:
    """Measure your server under load: many clients talk in rooms of their own, and count what they hear.

    They are plain IRC clients without TLS, in rooms called #bench-…; the server keeps what they say like anything
    else. Latency counts from when a line was due, on a fixed schedule, until each of the others has it. Every line is
    checked: what is lost, comes twice or in another order ends it with 1.
    """
    if clients < rooms * 2:
        raise click.UsageError(f"{rooms} rooms need {rooms * 2} clients: one who speaks and one who hears in each")
    with exits():
        where = _address(client_settings(invocation, url=url).url)
        if not yes and not is_here(where):
            raise click.UsageError(
                f"{where} is not on this machine, and a load on a server that is not yours is an attack; "
                "if it is yours, say --yes"
            )
        _need_descriptors(clients)
        load = Load(
            where,
            clients=clients,
            rooms=rooms,
            rate_per_s=rate,
            text_bytes=text_bytes,
            seconds=seconds,
            password=password_from(password_file) if password_file else None,
        )
        figures = loop_runner().run(_measure(load, clients))
    asked = {"url": str(where), "clients": clients, "rooms": rooms, "rate_per_room_per_s": rate}
    if as_json:
        click.echo(json.dumps(asked | {"text_bytes": text_bytes, "seconds": seconds} | figures.as_json()))
    else:
        pace = f"{rate:g} lines/s in each" if rate else "as many lines as it takes"
        inside = f"{clients} clients in {rooms} room{'s' if rooms > 1 else ''}"
        click.echo(f"{where}: {inside}, {pace}, {text_bytes} bytes, {figures.measured_s:.1f} s\n")
        click.echo("\n".join(table(figures)))
        for remark in remarks(figures, clients):
            click.echo(remark)
    sys.exit(INTERRUPTED if figures.interrupted else OK if figures.sound else FAILURE)


def _address(text: str) -> Url:
    try:
        where = Url.parse(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if where.secure or where.web:
        raise click.UsageError(f"{where}: there is no measuring with TLS, or over a WebSocket")
    return where


def is_here(where: Url) -> bool:
    """Whether a server is on this machine, as far as all its addresses tell.

    Raises:
        Unreachable: the name has no address.
    """
    if where.path:
        return True
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(f"{where}: {error.strerror or error}") from None
    return all(_is_loopback(str(address[0])) for *_, address in found)


def _is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _need_descriptors(clients: int) -> None:
    limit = raise_descriptor_limit()
    if limit is not None and clients + SPARE_DESCRIPTORS > limit:
        raise click.UsageError(
            f"{clients} clients need {clients + SPARE_DESCRIPTORS} descriptors, and this process may have {limit} "
            "(ulimit -n)"
        )


async def _measure(load: Load, clients: int) -> Figures:
    with suppress(NotImplementedError):  # Windows: the first Ctrl-C ends it without a table
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, load.stop)
    if not sys.stderr.isatty():
        return await load.run()
    try:
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(_show(load, clients))
            figures = await load.run()
            showing.cancel()
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)
    return figures


async def _show(load: Load, clients: int) -> None:
    """Show on standard error how far it is, on one line."""
    before = 0
    while True:
        tally = load.tally
        parts = [
            f"{load.elapsed_s:.1f}/{load.seconds:g} s",
            f"{load.connected}/{clients} connected",
            f"{load.sent} sent",
            f"{(tally.delivered - before) / LIVE_S:.0f} delivered/s",
            f"p99 {_duration(tally.latency_us.percentile(99))}",
        ]
        before = tally.delivered
        click.echo(f"\r{'   '.join(parts)}\x1b[K", nl=False, err=True)
        await asyncio.sleep(LIVE_S)


def table(figures: Figures) -> list[str]:
    """The figures for people, a row on a line."""
    spreads = [("latency", figures.latency_us), ("entering", figures.enter_us)]
    received = figures.received_bytes_per_s
    return [
        _row("", "p50", "p90", "p99", "p99.9", "max"),
        *(_row(name, *_durations(spread)) for name, spread in spreads),
        "",
        _row("", "count", "per second"),
        _row("sent", f"{figures.sent:,}", f"{figures.sent_per_s:,.1f}"),
        _row("delivered", f"{figures.delivered:,}", f"{figures.delivered_per_s:,.1f}"),
        _row("received", f"{received * figures.measured_s / 1e6:,.1f} MB", f"{received / 1e6:,.1f} MB"),
        "",
        f"lost {figures.lost}, duplicated {figures.duplicated}, reordered {figures.reordered}",
    ]


def _row(name: str, *cells: str) -> str:
    return f"{name:<10}{''.join(f'{cell:>12}' for cell in cells)}".rstrip()


def _durations(spread: Spread) -> list[str]:
    return [_duration(each) for each in (spread.p50, spread.p90, spread.p99, spread.p99_9, spread.max)]


def _duration(us: int) -> str:
    if us >= 10_000_000:
        return f"{us / 1_000_000:.1f} s"
    return f"{us / 1000:.2f} ms" if us < 100_000 else f"{us / 1000:.0f} ms"


def remarks(figures: Figures, clients: int) -> list[str]:
    """What else whoever reads the table must know, a sentence on a line."""
    found = []
    if figures.interrupted:
        found.append("it was interrupted")
    if figures.put_out:
        found.append(f"clients that were put out: {figures.put_out}")
    if figures.undelivered:
        waited = "" if figures.interrupted else f" after {SETTLE_S:g} s"
        found.append(f"deliveries still on their way{waited}: {figures.undelivered}")
    if figures.unsent:
        found.append(f"lines that were due and not said: {figures.unsent}")
    found += [f"the server said ({times}x): {words}" for words, times in figures.server_said.items()]
    if figures.sent > clients * BURST and figures.sent_per_s > clients * PER_SECOND:
        found.append(
            f"each client said {figures.sent_per_s / clients:.0f} lines/s: asynchat slows down who says more than "
            f"{PER_SECOND:g} for long, unless [limits] flood = false"
        )
    if figures.limit is not None:
        found.append(f"the generator was the limit: {figures.limit}")
    return found
