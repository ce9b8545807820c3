"""The configuration of stunnel before hosts whose key is in a token: stunnel(8), OpenSSL's engine ``pkcs11``. Pure.

Each host has a UNIX socket of its own in a private folder, not a port on loopback: whoever may open it speaks as this
terminal. TLS is verified here, because the kiosk's side of the tunnel is plain (ADR 37).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

ENGINE = "pkcs11"
HTTPS = 443


@dataclass(frozen=True)
class Tunnelled:
    """One host. ``url``: https, as in its settings; ``certificate``: PEM that is shown, of the token's key."""

    name: str
    url: str
    socket: str
    certificate: str
    ca: str
    proxy: str = ""  # host:port


@dataclass(frozen=True)
class TunnelKey:
    """``uri``: RFC 7512."""

    module: str
    uri: str
    pin: str


def configuration(key: TunnelKey, hosts: Iterable[Tunnelled]) -> str:
    """The whole file, which holds the token's PIN: 0600. Raises ValueError: an address without a host."""
    lines = [
        "foreground = yes",
        "syslog = no",
        "debug = warning",
        f"engine = {ENGINE}",
        f"engineCtrl = MODULE_PATH:{key.module}",
        f"engineCtrl = PIN:{key.pin}",
        *(line for host in hosts for line in _service(key.uri, host)),
    ]
    return "".join(f"{line}\n" for line in lines)


def _service(uri: str, host: Tunnelled) -> list[str]:
    parts = urlsplit(host.url)
    if not parts.hostname:
        raise ValueError(f"{host.name}: no https address")
    there = f"{parts.hostname}:{parts.port or HTTPS}"
    check = "checkIP" if _is_address(parts.hostname) else "checkHost"
    through = [f"connect = {host.proxy}", "protocol = connect", f"protocolHost = {there}"]
    return [
        "",
        f"[{host.name}]",
        "client = yes",
        f"accept = {host.socket}",
        *(through if host.proxy else [f"connect = {there}"]),
        f"engineId = {ENGINE}",
        f"cert = {host.certificate}",
        f"key = {uri}",
        f"CAfile = {host.ca}",
        "verifyChain = yes",
        f"{check} = {parts.hostname}",
        *([] if check == "checkIP" else [f"sni = {parts.hostname}"]),
        "sslVersionMin = TLSv1.2",
    ]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
