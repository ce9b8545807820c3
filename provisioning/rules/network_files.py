"""A network document as the files of systemd-networkd, wpa_supplicant and the modem's unit. A pure function.

systemd.network(5), systemd.netdev(5), wpa_supplicant.conf(5); ModemManager keeps no files, so its unit gives the line
of ``modem.env`` to ``mmcli --simple-connect`` (its manual). Names begin with "10-yikatong" so that they come before
what an image may bring.
"""

from dataclasses import dataclass

from provisioning.rules.network import Modem, Network, PortAccess

CABLES = "en* eth*"
MODEMS = "ww*"
SUPPLICANT, MODEM, PROXY, AUTHORITY = "wpa_supplicant.conf", "modem.env", "proxy", "port-access-ca.pem"


@dataclass(frozen=True)
class OwnCertificate:
    """The terminal's own, for 802.1X. ``key``: a path, or an RFC 7512 URI with ``module`` where it is in a token."""

    certificate: str
    key: str
    module: str = ""


def files_of(network: Network, own: OwnCertificate, folder: str) -> dict[str, str]:
    """Content by name; all of them private, because some hold a password. ``folder``: where they will be.
    ``network`` was checked."""
    content = {"10-yikatong.network": _cable(network)}
    if network.vlan:
        content["10-yikatong-vlan.netdev"] = _section("NetDev", f"Name=vlan{network.vlan}", "Kind=vlan") + _section(
            "VLAN", f"Id={network.vlan}"
        )
        content["10-yikatong-vlan.network"] = _section("Match", f"Name=vlan{network.vlan}") + _addresses(network)
    if network.port_access is not None:
        content[SUPPLICANT] = _supplicant(network.port_access, own, folder)
        if network.port_access.ca:
            content[AUTHORITY] = network.port_access.ca
    if network.modem is not None:
        content["10-yikatong-modem.network"] = _modem_link()
        content[MODEM] = _modem(network.modem)
    if network.proxy:
        content[PROXY] = network.proxy + "\n"
    return content


def _cable(network: Network) -> str:
    match = _section("Match", "Type=ether", f"Name={CABLES}")
    if network.vlan:
        return match + _section("Network", f"VLAN=vlan{network.vlan}", "LinkLocalAddressing=no")
    return match + _addresses(network)


def _addresses(network: Network) -> str:
    ntp = [f"NTP={one}" for one in network.ntp]
    static = network.static
    if static is None:
        # The line that the city's own router gives may know its clock; what the document says goes before it.
        return _section("Network", "DHCP=yes", *ntp)
    gateway = [f"Gateway={static.gateway}"] if static.gateway else []
    dns = [f"DNS={one}" for one in static.dns]
    return _section("Network", f"Address={static.address}", *gateway, *dns, *ntp, "DHCP=no")


def _supplicant(access: PortAccess, own: OwnCertificate, folder: str) -> str:
    lines = ["key_mgmt=IEEE8021X", f"eap={access.method.upper()}", "eapol_flags=0"]
    if access.ca:
        lines.append(f'ca_cert="{folder}/{AUTHORITY}"')
    if access.identity:
        lines.append(f'identity="{access.identity}"')
    if access.method == "tls":
        lines += [f'client_cert="{own.certificate}"', f'private_key="{own.key}"']
    else:
        lines += [f'password="{access.password}"', 'phase2="auth=MSCHAPV2"']
    engine = [f"pkcs11_module_path={own.module}"] if own.module and access.method == "tls" else []
    inner = "".join(f"    {line}\n" for line in lines)
    return "".join(f"{line}\n" for line in ("ap_scan=0", *engine, "network={")) + inner + "}\n"


def _modem_link() -> str:
    """Behind the cable: routes of it are taken only where there are no others."""
    wait = _section("Link", "RequiredForOnline=no")
    match, dhcp = _section("Match", f"Name={MODEMS}"), _section("Network", "DHCP=yes")
    return match + wait + dhcp + _section("DHCPv4", "RouteMetric=2048")


def _modem(modem: Modem) -> str:
    parts = [f"apn={modem.apn}"]
    parts += [f"user={modem.user}"] if modem.user else []
    parts += [f"password={modem.password}"] if modem.password else []
    return f"MODEM_CONNECT='{','.join(parts)}'\n"


def _section(name: str, *lines: str) -> str:
    return "".join(f"{line}\n" for line in (f"[{name}]", *lines, ""))
