"""Which hosts the firewall lets out: those that the settings name, and who tells names and time on this line.

The rules themselves stand in ``systemd/share/yikatong.nft``; here only their sets are filled, in one step (nft(8)).
What cannot be resolved now keeps the addresses that it had: a name server that is away for a minute cuts nobody off.
"""

import ipaddress
import json
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TABLE = "inet yikatong"
PORTS = {"https": 443, "http": 80, "ipp": 631, "ipps": 631}
NETIF, RESOLV = Path("/run/systemd/netif/state"), Path("/etc/resolv.conf")
ADDRESSES_MAX = 16  # of one name; more would be a mistake or an attack

Host = tuple[str, int]
Resolve = Callable[[str], Iterable[str]]


def hosts_of(*trees: Mapping[str, Any]) -> set[Host]:
    """Names and ports of everything that looks like an address or a proxy in settings, whichever part it stands in:
    hosts, the fleet, a printer on the network."""
    found: set[Host] = set()
    for name, value in (item for tree in trees for item in _leaves(tree)):
        split = urlsplit(value) if "://" in value else urlsplit(f"proxy://{value}" if name == "proxy" else "")
        port = _port(split) or PORTS.get(split.scheme, 0)
        if split.hostname and port and name != "console_url":  # that one is for telephones
            found.add((split.hostname, port))
    return found


def _port(split: Any) -> int:
    try:
        return split.port or 0
    except ValueError:
        return 0


def _leaves(tree: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        elif isinstance(value, str):
            yield name, value


def servers_of_line(netif: str, resolv: str) -> tuple[set[str], set[str]]:
    """Who tells names, and who tells time: of networkd's state, and of resolv.conf where something else made it."""
    told = dict(line.split("=", 1) for line in netif.splitlines() if "=" in line)
    dns = {*told.get("DNS", "").split(), *re.findall(r"^nameserver\s+(\S+)", resolv, re.MULTILINE)}
    return {one for one in dns if _address(one) and not ipaddress.ip_address(one).is_loopback}, set(
        told.get("NTP", "").split()
    )


def resolved(names: Iterable[str], known: Mapping[str, list[str]], resolve: Resolve) -> dict[str, list[str]]:
    """Addresses by name. ``known``: of the last time."""
    found = {}
    for name in sorted(set(names)):
        if _address(name):
            found[name] = [name]
            continue
        try:
            found[name] = sorted(set(resolve(name)))[:ADDRESSES_MAX]
        except OSError:
            found[name] = known.get(name, [])
    return found


def rules(hosts: set[Host], clocks: set[str], resolvers: set[str], found: Mapping[str, list[str]]) -> str:
    """For ``nft -f -``: every set emptied and filled, all or nothing."""
    ends = {(address, f"{address} . {port}") for name, port in hosts for address in found.get(name, ())}
    times = {(address, address) for name in clocks for address in found.get(name, ())}
    return _sets("hosts", ends) + _sets("clocks", times) + _sets("resolvers", {(one, one) for one in resolvers})


def _sets(name: str, elements: set[tuple[str, str]]) -> str:
    """``elements``: address, and the words of its element."""
    lines = []
    for version in (4, 6):
        mine = sorted(words for address, words in elements if ipaddress.ip_address(address).version == version)
        lines.append(f"flush set {TABLE} {name}{version}\n")
        lines += [f"add element {TABLE} {name}{version} {{ {', '.join(mine)} }}\n"] if mine else []
    return "".join(lines)


def _address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


def addresses_of(name: str) -> Iterable[str]:
    """By this machine's resolver. Raises OSError."""
    return (str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))


def remembered(path: Path) -> dict[str, list[str]]:
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
