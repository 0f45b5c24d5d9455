"""Lists of network peers as people write them: addresses, networks, ``unix``, ``*``."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


class Addresses:
    """A set of peers.

    Args:
        entries: Addresses, CIDR networks, names that a server may give to a peer, ``"unix"`` for
            peers without an address, or ``"*"`` for all.

    Raises:
        ValueError: An entry has a ``/`` and is no network.

    Attributes:
        has_all: Whether everybody is in it.
        has_unix: Whether peers without an address are in it.
        names: The entries that are none of the others.

    Example:
        >>> Addresses(["10.0.0.0/8"]).has("10.1.2.3"), Addresses(["unix"]).has("")
        (True, True)
    """

    __slots__ = ("_networks", "has_all", "has_unix", "names")

    def __init__(self, entries: Iterable[str]) -> None:
        words = {entry.strip() for entry in entries}
        self.has_all = "*" in words
        self.has_unix = self.has_all or "unix" in words
        networks = {word: _network(word) for word in words - {"*", "unix"}}
        self._networks = tuple(network for network in networks.values() if network is not None)
        self.names = frozenset(word for word, network in networks.items() if network is None)

    def has(self, host: str | None) -> bool:
        """Tell whether a peer is in it; no host is a Unix socket."""
        if self.has_all or not host:
            return self.has_unix
        try:
            address = ip_address(host)
        except ValueError:
            return host in self.names
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


def _network(word: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(word, strict=False)
    except ValueError:
        if "/" in word:
            raise
        return None
