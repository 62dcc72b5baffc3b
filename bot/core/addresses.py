"""Which hosts an operator lets Parley talk to, and where a connection without TLS stays in the house.

Everything here goes by the host of an address; nothing is asked for but a name's addresses.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit

from bot.core.errors import SetupError
from bot.core.settings import Settings, split_list

# Sources: RFC 1122 (loopback), RFC 1918, RFC 4193. Link-local addresses are left out: on a rented machine the
# provider's metadata service is there.
PRIVATE = tuple(
    map(ip_network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"))
)
# Names that no public name server knows. Sources: RFC 6761, RFC 6762, RFC 8375, ICANN on .internal; clusters.
LOCAL_ENDINGS = ("localhost", "local", "internal", "home.arpa", "lan", "localdomain", "svc")
ADDRESS = IPv4Address | IPv6Address
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_PATTERN = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*|[0-9a-f:.]*:[0-9a-f:.]+")


@dataclass(frozen=True, slots=True)
class HostList:
    """Hosts that an operator names: `api.example.com` itself, `*.example.com` for all below it, each with any
    port or with the one that is named."""

    entries: tuple[tuple[str, int | None], ...]

    @classmethod
    def read(cls, setting: str, value: str) -> Self:
        """From a list separated by commas; SetupError names the setting and what is no host."""
        entries, problems = list[tuple[str, int | None]](), list[str]()
        for given in split_list(value):
            host, port = _split_port(given)
            name = normalise(host)
            if (port is not None and not 0 < port < 65_536) or not _PATTERN.fullmatch(name):
                problems.append(f"{setting}: {given!r} is no host like api.example.com or *.example.com")
            entries.append((name, port))
        if value.strip() and not entries:
            problems.append(f"{setting}: {value!r} names no host")  # it would allow all
        if problems:
            raise SetupError(problems)
        return cls(tuple(entries))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def holds(self, url: str) -> bool:
        """Whether the host of an address is one of them."""
        if not self.entries:
            return False
        host, port = read_host(url), read_port(url)
        return any(_fits(host, name) and wanted in (None, port) for name, wanted in self.entries)


@lru_cache(maxsize=256)
def read_host(url: str) -> str:
    """The host of an address, as it is compared; "" where there is none."""
    try:
        return normalise(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def read_port(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        return parts.port or {"http": 80, "ws": 80, "https": 443, "wss": 443}.get(parts.scheme)
    except ValueError:
        return None


def normalise(host: str) -> str:
    """One spelling for each host: lower case, ASCII, no dot at its end; numbers as they are usual."""
    name = host.strip("[]").removesuffix(".").lower()
    if address := parse_address(name):
        return str(address)
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return name


def parse_address(host: str) -> ADDRESS | None:
    """The address that a host is written as, in every way the system reads (127.1, 0x7f000001); None for a
    name."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(host)) if host[:1].isdigit() else None
        except (OSError, UnicodeError):
            return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def is_private(address: ADDRESS) -> bool:
    return any(address.version == network.version and address in network for network in PRIVATE)


def is_local_name(host: str) -> bool:
    """Whether a name can only be one of this machine, its containers or the local network."""
    return bool(host) and ("." not in host or host.endswith(tuple(f".{one}" for one in LOCAL_ENDINGS)))


def is_in_the_house(url: str) -> bool:
    """Whether the host is written as a private address or a local name."""
    host = read_host(url)
    address = parse_address(host)
    return is_private(address) if address else is_local_name(host)


def is_encrypted(url: str) -> bool:
    return urlsplit(url).scheme in ("https", "wss")


@dataclass(frozen=True, slots=True)
class PlainHttpRule:
    """Where plain http may be spoken: on this machine, in private networks, and to hosts the operator
    names."""

    allowed: HostList

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(HostList.read("PARLEY_PLAIN_HTTP_HOSTS", settings.plain_http_hosts))

    async def permits(self, url: str) -> bool:
        """Whether a request may go there. A name without TLS is looked up: what it stands for today counts.

        OSError when nobody knows the name.
        """
        if is_encrypted(url) or self.allowed.holds(url):
            return True
        host = read_host(url)
        if (private := _is_written_private(host)) is not None:
            return private
        return bool(host) and are_private(await _look_up(host))

    def find_problems(self, setting: str, url: str) -> list[str]:
        """What is wrong with a setting's address; a name that is not local is looked up at once."""
        if is_encrypted(url) or self.allowed.holds(url) or is_in_the_house(url) or _is_private_name(url):
            return []
        return [
            f"{setting}: {read_host(url) or url} would be spoken to without encryption (http), and is "
            "neither this machine nor in a private network; use https, or name the host in "
            "PARLEY_PLAIN_HTTP_HOSTS"
        ]


def are_private(addresses: Iterable[str]) -> bool:
    """Whether there are addresses, and all of them are private."""
    found = [parse_address(address) for address in addresses]
    return bool(found) and all(address is not None and is_private(address) for address in found)


@lru_cache(maxsize=64)
def _is_written_private(host: str) -> bool | None:
    """Whether a host is written as a private address; None for a name."""
    address = parse_address(host)
    return None if address is None else is_private(address)


async def _look_up(host: str) -> set[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return {str(row[4][0]) for row in found}


def _is_private_name(url: str) -> bool:
    host = read_host(url)
    if not host or parse_address(host):
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return are_private({str(row[4][0]) for row in found})


def _fits(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _split_port(given: str) -> tuple[str, int | None]:
    host, colon, port = given.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):  # none, or an address of IPv6
        return given, None
    return host, int(port) if port.isdecimal() and len(port) < 6 else 0
