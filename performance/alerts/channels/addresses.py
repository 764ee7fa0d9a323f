"""Where a webhook may go: a host is resolved once, and the connection is made to that very address.

So a name that resolves to something else a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

from performance.alerts.channels.base import ChannelError, Refused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS = {80, 443, 8080, 8443}
"""On public addresses. A network that settings allow may be reached on any port."""
# What `is_global` lets through and yet leads to addresses inside: NAT64, IPv4-compatible, site-local.
_EMBEDDING = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96")
_REFUSED = (
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("fec0::/10"),
    ipaddress.ip_network("100.64.0.0/10"),
    ipaddress.ip_network("192.88.99.0/24"),
)


def networks(texts: Iterable[str]) -> list[Network]:
    """Networks of CIDR notation. Raises ValueError on anything else."""
    return [ipaddress.ip_network(text) for text in texts]


def split(url: str) -> SplitResult:
    """The parts of a URL that a webhook may have. Raises ValueError that says what is wrong."""
    if any(character <= " " or character == "\\" for character in url):
        raise ValueError("holds a blank, a control character or a backslash")
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http"):
        raise ValueError("must begin with https:// or http://")
    if not parts.hostname:
        raise ValueError("names no host")
    if "@" in parts.netloc:
        raise ValueError("must hold no user name or password")
    if parts.port == 0:
        raise ValueError("has the port 0")
    return parts


def resolve(parts: SplitResult, allowed: Sequence[Network]) -> tuple[str, int]:
    """An address and port to connect to. Raises Refused if any address of the host is one inside."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ChannelError("the host has no address") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses:
        raise ChannelError("the host has no address")
    for address in addresses:
        _refuse(address, port, parts.scheme, allowed)
    return str(addresses[0]), port


def _refuse(address: Address, port: int, scheme: str, allowed: Sequence[Network]) -> None:
    meant = _meant(address)
    if any(meant in network for network in allowed):
        return
    if not is_public(meant):
        raise Refused("the host is an address inside; ALLOWED_NETWORKS does not name it")
    if scheme != "https":
        raise Refused("plain http goes to ALLOWED_NETWORKS alone")
    if port not in PORTS:
        raise Refused(f"port {port} of a public address is not one of {sorted(PORTS)}")


def _meant(address: Address) -> Address:
    """The IPv4 address that is wrapped in an IPv6 one."""
    if isinstance(address, IPv4Address):
        return address
    wrapped = address.ipv4_mapped or address.sixtofour
    if wrapped is None and address.teredo:
        wrapped = address.teredo[1]
    if wrapped is None and any(address in network for network in _EMBEDDING):
        wrapped = IPv4Address(int(address) & 0xFFFF_FFFF)
    return wrapped or address


def is_public(address: Address) -> bool:
    """Whether it belongs to nobody's inside."""
    meant = _meant(address)
    return (
        meant.is_global
        and not meant.is_multicast
        and not any(meant in network for network in _REFUSED)
    )
