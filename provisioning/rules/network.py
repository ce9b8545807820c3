"""How a terminal reaches the network, as a document: what a stick, a pre-registration or the console says of it.

Checked whole before anything is written (``check``); ``network_files.py`` makes the files of it. No value can hold what
would end a line or a quotation in one of them.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import Annotated, Literal

import msgspec

Address = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[0-9A-Fa-f.:/]*$")]
Name = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[A-Za-z0-9._@-]*$")]
Secret = Annotated[str, msgspec.Meta(max_length=128, pattern=r"^[!#-&(-+\--\[\]-~]*$")]  # ASCII without " ' , \ space
Pem = Annotated[str, msgspec.Meta(max_length=20_000, pattern=r"^[A-Za-z0-9+/=\n -]*$")]


class NetworkUnfit(Exception):
    """It cannot be meant so; the message says what, in words for whoever wrote it."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Static(_Part, frozen=True):
    """``address`` with its prefix, "10.1.2.3/24" or IPv6."""

    address: Address
    gateway: Address = ""
    dns: Annotated[tuple[Address, ...], msgspec.Meta(max_length=3)] = ()


class PortAccess(_Part, frozen=True):
    """802.1X on the cable. ``tls`` shows the terminal's own certificate; the others a name and a password."""

    method: Literal["tls", "peap", "ttls"] = "tls"
    identity: Name = ""
    password: Secret = ""
    ca: Pem = ""  # the network's authority


class Modem(_Part, frozen=True):
    apn: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,63}$")]
    user: Name = ""
    password: Secret = ""


class Network(_Part, frozen=True):
    """``static`` None: by DHCP. ``vlan`` 0: untagged. ``proxy``: "host:port" on the way to the fleet. ``modem``: beside
    the cable, used where that leads nowhere."""

    static: Static | None = None
    vlan: Annotated[int, msgspec.Meta(ge=0, le=4094)] = 0
    port_access: PortAccess | None = None
    modem: Modem | None = None
    proxy: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9.-]{1,100}:[0-9]{1,5})?$")] = ""
    ntp: Annotated[tuple[Address, ...], msgspec.Meta(max_length=3)] = ()


def check(network: Network) -> None:
    """Beyond its shape. Raises NetworkUnfit."""
    for address in network.ntp:
        _address(address, "ntp")
    if network.proxy and not 0 < int(network.proxy.rpartition(":")[2]) < 65536:
        raise NetworkUnfit("proxy: the port lies between 1 and 65535")
    if network.static is not None:
        _check_static(network.static)
    access = network.port_access
    if access is not None and access.method != "tls" and not (access.identity and access.password):
        raise NetworkUnfit("port_access: this method wants a name and a password")
    if access is not None and access.method != "tls" and not access.ca:
        raise NetworkUnfit("port_access: without the network's authority the password goes to anybody")


def _check_static(static: Static) -> None:
    try:
        inside = ip_interface(static.address)
    except ValueError:
        raise NetworkUnfit("static: the address is none") from None
    if "/" not in static.address or inside.network.prefixlen == 0:
        raise NetworkUnfit("static: the address wants its prefix, such as 10.1.2.3/24")
    for address in static.dns:
        _address(address, "dns")
    if static.gateway and _address(static.gateway, "gateway") not in inside.network:
        raise NetworkUnfit("static: the gateway is not in the network of the address")


def _address(told: str, what: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(told)
    except ValueError:
        raise NetworkUnfit(f"{what}: not an address") from None
