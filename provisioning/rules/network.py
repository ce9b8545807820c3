"""How a terminal reaches the network, as a document: what a stick, a pre-registration or the console says of it.

Checked whole before anything is written; ``files_of`` (below) turns it into the files of systemd-networkd,
wpa_supplicant and the modem's unit.
"""

from typing import Annotated, Literal

import msgspec

Address = Annotated[str, msgspec.Meta(max_length=64)]
Secret = Annotated[str, msgspec.Meta(max_length=128)]
Name = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[A-Za-z0-9._@-]*$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Static(_Part, frozen=True):
    """``address`` with its prefix, "10.1.2.3/24" or IPv6."""

    address: Address
    gateway: Address = ""
    dns: Annotated[tuple[Address, ...], msgspec.Meta(max_length=3)] = ()


class PortAccess(_Part, frozen=True):
    """802.1X on the cable. ``tls`` uses the terminal's own certificate; the others a name and a password."""

    method: Literal["tls", "peap", "ttls"] = "tls"
    identity: Name = ""
    password: Secret = ""
    ca: Annotated[str, msgspec.Meta(max_length=20_000)] = ""  # PEM of the network's authority


class Modem(_Part, frozen=True):
    apn: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,63}$")]
    user: Name = ""
    password: Secret = ""


class Network(_Part, frozen=True):
    """``static`` None: by DHCP. ``vlan`` 0: untagged. ``proxy``: "host:port" on the way to the fleet."""

    static: Static | None = None
    vlan: Annotated[int, msgspec.Meta(ge=0, le=4094)] = 0
    port_access: PortAccess | None = None
    modem: Modem | None = None
    proxy: Annotated[str, msgspec.Meta(max_length=128)] = ""
    ntp: Annotated[tuple[Address, ...], msgspec.Meta(max_length=3)] = ()
