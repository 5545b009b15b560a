"""Whose request it is, as far as the network can tell: the address that limits count by. Pure.

Forwarded headers are anybody's to write, so they are read only when the connection comes from a configured proxy, and
only as far back as configured proxies vouch for each other: the right-most hop that is none of them is the client.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from pydantic import IPvAnyNetwork
from starlette.types import Scope

_HOPS = 32  # as far back as is looked; nobody has so many proxies
_PARAMETER = re.compile(r"""\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*)\s*([;,]|$)""")
_PORT = re.compile(r"^(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+))(?::[^:]*)?$")
_SUBNET_BITS = 64  # of IPv6: what one subscriber gets; to count by less would hand out addresses for free

Address = IPv4Address | IPv6Address


class Clients:
    """Finds the client behind a request."""

    def __init__(self, trusted_proxies: Iterable[IPvAnyNetwork]) -> None:
        self._trusted = tuple(ip_network(str(network)) for network in trusted_proxies)

    def key(self, scope: Scope) -> str:
        """Return what the request counts under: an IPv4 address, or the /64 of an IPv6 address.

        Without an address (a Unix socket) all requests count under one.
        """
        client = scope.get("client")
        peer: str = client[0] if client else ""
        if self._trusted:
            return _key(self._client(peer, scope["headers"]))
        return peer if ":" not in peer else _key(peer)

    def _client(self, peer: str, headers: Sequence[tuple[bytes, bytes]]) -> str:
        address = _parse(peer)
        if address is None or not self._trusts(address):
            return peer
        elements = _forwarded(_values(headers, b"forwarded"))
        addresses = _values(headers, b"x-forwarded-for").split(",") if _has(headers, b"x-forwarded-for") else None
        found = [self._behind(peer, hops) for hops in (elements, addresses) if hops is not None]
        # A proxy writes one of the two and hands on what the client has put into the other. Where they
        # disagree, one of them is made up, and neither is believed.
        return found[0] if found and len({_key(each) for each in found}) == 1 else peer

    def _behind(self, peer: str, hops: Sequence[str]) -> str:
        nearest = peer
        for hop in reversed(hops[-_HOPS:]):
            address = _parse(hop)
            if address is None:  # "unknown", an obfuscated name, or nonsense: nobody vouches for what is before it
                return nearest
            nearest = str(address)
            if not self._trusts(address):
                return nearest
        return nearest

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted if network.version == address.version)


def _has(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> bool:
    return any(name == wanted for name, _ in headers)


def _values(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str:
    return b",".join(value for name, value in headers if name == wanted).decode("latin-1")


def _forwarded(text: str) -> list[str] | None:
    """Return the ``for`` of each element (RFC 7239); an element without one, or malformed, is an empty text."""
    if not text:
        return None
    found = [""]
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            return [*found, ""]
        name, value, ending = match.groups()
        if name.lower() == "for":
            found[-1] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        if ending == ",":
            found.append("")
        at = match.end()
    return found


@lru_cache(maxsize=65_536)
def _parse(text: str) -> Address | None:
    """Return an address without its port, an IPv4 address in IPv6 clothes as itself; None where it is none."""
    bare = text.strip()
    with_port = _PORT.match(bare)
    if with_port:
        bare = with_port["six"] or with_port["four"]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=65_536)
def _key(text: str) -> str:
    address = _parse(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _SUBNET_BITS), strict=False))
    return text if address is None else str(address)
