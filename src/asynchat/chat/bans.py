"""Who is kept off the server: addresses, networks, accounts and masks, for ever or until some time."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from asynchat.chat.errors import BadMask, KeptOut
from asynchat.chat.events import Source
from asynchat.chat.names import casefold, full_mask
from asynchat.chat.rooms import Entry

Network = IPv4Network | IPv6Network


@dataclass(slots=True)
class Ban:
    """One of them. `until_ms` is in milliseconds of UTC, None for ever; `by` is the mask of who did it."""

    mask: str
    by: str
    at_ms: int
    reason: str = ""
    until_ms: int | None = None

    @property
    def refusal(self) -> KeptOut:
        """What is told to those it keeps out."""
        why = f" ({self.reason})" if self.reason else ""
        return KeptOut(text=f"you are banned from this server{why}")


class Bans:
    """All of them, by their masks as `normal` gives them; casefolded."""

    def __init__(self) -> None:
        self.all: dict[str, Ban] = {}
        self._networks: dict[str, Network] = {}
        self._entries: dict[str, Entry] = {}

    def __bool__(self) -> bool:
        return bool(self.all)

    def add(self, ban: Ban) -> None:
        """Keep somebody off; a later word on the same mask counts."""
        folded = casefold(ban.mask)
        self.all[folded] = ban
        network = network_of(ban.mask)
        if network is not None:
            self._networks[folded] = network
        else:
            self._entries[folded] = Entry.new(ban.mask, ban.by, ban.at_ms)

    def remove(self, mask: str) -> bool:
        """Keep them off no more; whether they were."""
        folded = casefold(mask)
        self._networks.pop(folded, None)
        self._entries.pop(folded, None)
        return self.all.pop(folded, None) is not None

    def fitting(self, source: Source | None, address: str, now_ms: int) -> Ban | None:
        """The ban that keeps somebody off who comes from there, and is that if it is known."""
        found = self._of_address(address)
        if source is not None:
            found += [folded for folded, entry in self._entries.items() if entry.fits(source)]
        for folded in found:
            ban = self.all[folded]
            if ban.until_ms is None or ban.until_ms > now_ms:
                return ban
        return None

    def _of_address(self, address: str) -> list[str]:
        if not self._networks:
            return []
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:  # a unix socket has none
            return []
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return [folded for folded, network in self._networks.items() if parsed in network]


def network_of(mask: str) -> Network | None:
    """The network that a mask is; an address is one too."""
    try:
        return ip_network(mask, strict=False)
    except ValueError:
        return None


def check_mask(mask: str) -> None:
    """Let a mask pass that may fit somebody: an account's, one with ``!`` or ``@``, or a name.

    Raises:
        BadMask: it is a name that nobody can have, as ``10.0.0.0/33`` would be; or nothing.
    """
    name = mask.removeprefix("a:")
    if not name.strip("!@") or (name == mask and not set(mask) & set("!@") and set(mask) & set("./:")):
        raise BadMask(mask)


def normal(mask: str) -> str:
    """A mask as it is kept: `192.0.2.0/24`, `a:account`, or `nick!ident@host`, of which parts may be left out."""
    network = network_of(mask)
    if network is None:
        return full_mask(mask)
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
