"""Networks as documents and as files; sets of them that are tried, kept, or given up, through every power cut."""

import configparser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.rules.network import Modem, Network, NetworkUnfit, PortAccess, Static, check
from provisioning.rules.network_files import OwnCertificate, files_of
from provisioning.rules.tunnel import TunnelKey, Tunnelled, configuration
from provisioning.terminal.network import Networks
from tests.fleet.updates.cut_disk import CutDisk, PowerCut

OWN = OwnCertificate("/id/certificate.pem", "/id/key.pem")
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
# Written by hand after systemd.network(5), systemd.netdev(5), wpa_supplicant.conf(5) and mmcli(1).
GOLDEN: dict[str, tuple[Network, dict[str, str]]] = {
    "dhcp": (
        Network(),
        {"10-yikatong.network": "[Match]\nType=ether\nName=en* eth*\n\n[Network]\nDHCP=yes\n\n"},
    ),
    "static, vlan, time, proxy": (
        Network(
            static=Static(address="10.1.2.3/24", gateway="10.1.2.1", dns=("10.1.2.53",)),
            vlan=7,
            ntp=("10.1.2.4",),
            proxy="proxy.example:3128",
        ),
        {
            "10-yikatong.network": "[Match]\nType=ether\nName=en* eth*\n\n"
            "[Network]\nVLAN=vlan7\nLinkLocalAddressing=no\n\n",
            "10-yikatong-vlan.netdev": "[NetDev]\nName=vlan7\nKind=vlan\n\n[VLAN]\nId=7\n\n",
            "10-yikatong-vlan.network": "[Match]\nName=vlan7\n\n[Network]\nAddress=10.1.2.3/24\nGateway=10.1.2.1\n"
            "DNS=10.1.2.53\nNTP=10.1.2.4\nDHCP=no\n\n",
            "proxy": "proxy.example:3128\n",
        },
    ),
    "802.1X by certificate": (
        Network(port_access=PortAccess(ca=PEM, identity="T0000007")),
        {
            "10-yikatong.network": "[Match]\nType=ether\nName=en* eth*\n\n[Network]\nDHCP=yes\n\n",
            "port-access-ca.pem": PEM,
            "wpa_supplicant.conf": "ap_scan=0\nnetwork={\n    key_mgmt=IEEE8021X\n    eap=TLS\n    eapol_flags=0\n"
            '    ca_cert="/net/port-access-ca.pem"\n    identity="T0000007"\n'
            '    client_cert="/id/certificate.pem"\n    private_key="/id/key.pem"\n}\n',
        },
    ),
    "802.1X by password, modem": (
        Network(
            port_access=PortAccess(method="peap", identity="hall", password="s3cret", ca=PEM),
            modem=Modem(apn="ssc.example", user="u", password="p"),
        ),
        {
            "10-yikatong.network": "[Match]\nType=ether\nName=en* eth*\n\n[Network]\nDHCP=yes\n\n",
            "port-access-ca.pem": PEM,
            "wpa_supplicant.conf": "ap_scan=0\nnetwork={\n    key_mgmt=IEEE8021X\n    eap=PEAP\n    eapol_flags=0\n"
            '    ca_cert="/net/port-access-ca.pem"\n    identity="hall"\n    password="s3cret"\n'
            '    phase2="auth=MSCHAPV2"\n}\n',
            "10-yikatong-modem.network": "[Match]\nName=ww*\n\n[Link]\nRequiredForOnline=no\n\n[Network]\nDHCP=yes\n\n"
            "[DHCPv4]\nRouteMetric=2048\n\n",
            "modem.env": "MODEM_CONNECT='apn=ssc.example,user=u,password=p'\n",
        },
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_files_are_as_written_by_hand(name: str) -> None:
    """Each way of being connected, byte for byte."""
    network, files = GOLDEN[name]
    check(network)
    assert files_of(network, OWN, "/net") == files


def test_a_key_in_a_token_is_named_by_its_uri() -> None:
    """802.1X then signs in the token, too."""
    own = OwnCertificate("/id/certificate.pem", "pkcs11:token=yikatong;id=%01;type=private", "/usr/lib/module.so")
    written = files_of(Network(port_access=PortAccess()), own, "/net")["wpa_supplicant.conf"]
    assert "pkcs11_module_path=/usr/lib/module.so\n" in written
    assert 'private_key="pkcs11:token=yikatong;id=%01;type=private"' in written


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"static": {"address": "10.1.2.3"}}, "prefix"),
        ({"static": {"address": "10.1.2.300/24"}}, "address"),
        ({"static": {"address": "10.1.2.3/24", "gateway": "10.1.3.1"}}, "gateway"),
        ({"static": {"address": "10.1.2.3/24", "dns": ["1.2.3"]}}, "dns"),
        ({"static": {"address": "10.1.2.3/0"}}, "prefix"),
        ({"proxy": "proxy:99999"}, "proxy"),
        ({"ntp": ["::g"]}, "ntp|pattern"),
        ({"port_access": {"method": "peap", "identity": "a"}}, "password"),
        ({"port_access": {"method": "peap", "identity": "a", "password": "b"}}, "anybody"),
        ({"modem": {"apn": "a b"}}, "pattern|apn"),
        ({"vlan": 4095}, "4094"),
        ({"wifi": {}}, "unknown"),
    ],
)
def test_a_network_that_cannot_be_is_refused(told: object, words: str) -> None:
    """Before anything of it is written."""
    with pytest.raises((NetworkUnfit, msgspec.ValidationError), match=words):
        check(msgspec.convert(told, Network))


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_value_leaves_its_line(name: str, secret: str) -> None:
    """Whatever the document's shape lets through ends no line and no quotation of the files."""
    told = {"port_access": {"method": "peap", "identity": name, "password": secret, "ca": "A"}}
    try:
        network = msgspec.convert(told, Network)
    except msgspec.ValidationError:
        return
    lines = files_of(network, OWN, "/net")["wpa_supplicant.conf"].splitlines()
    assert len(lines) <= 11
    assert all(line.count('"') in (0, 2) for line in lines)


async def test_power_cut_at_every_effect_of_a_network(tmp_path: Path) -> None:
    """Whatever was cut, at the next start the old or the new set is in force, whole; and a trial ends."""
    old, new = {"10-yikatong.network": "old"}, {"10-yikatong.network": "new", "proxy": "p"}
    for at in range(1, 100):
        applied: list[str] = []

        async def apply(folder: Path | None, applied: list[str] = applied) -> None:
            applied.append(folder.name if folder else "")

        home = tmp_path / str(at)
        first = Networks(home, CutDisk(10_000), apply)
        await first.try_out(old)
        first.keep()
        disk = CutDisk(at)
        try:
            cut = Networks(home, disk, apply)
            await cut.try_out(new)
            await cut.go_back()
            await cut.try_out(new)
            cut.keep()
        except PowerCut:
            pass
        after = Networks(home, CutDisk(10_000), apply)
        await after.resume()
        assert after.files(after.in_force) in (old, new), f"cut at effect {at}"
        for _ in range(3):
            await after.resume()
        assert after.trial is None
        if disk.effects < at:
            assert (after.files(after.in_force), at > 20) == (new, True)
            return
    raise AssertionError("the trial never came to its end")


def test_the_tunnel_verifies_its_host_and_is_a_private_socket() -> None:
    """Written by hand after stunnel(8): a host by name, one by address, one behind a proxy."""
    key = TunnelKey("/usr/lib/module.so", "pkcs11:token=yikatong;id=%01;type=private", "135790")
    by_name = Tunnelled("fleet", "https://fleet.example:8444", "/run/f.sock", "/id/c.pem", "/etc/ca.pem")
    by_address = Tunnelled("agency", "https://10.0.0.1", "/run/a.sock", "/id/c.pem", "/etc/ca.pem", "proxy:3128")
    written = configuration(key, [by_name, by_address])
    sections = configparser.RawConfigParser(strict=False)
    sections.read_string("[global]\n" + written)
    assert dict(sections["fleet"]) == {
        "client": "yes", "accept": "/run/f.sock", "connect": "fleet.example:8444", "engineid": "pkcs11",
        "cert": "/id/c.pem", "key": "pkcs11:token=yikatong;id=%01;type=private", "cafile": "/etc/ca.pem",
        "verifychain": "yes", "checkhost": "fleet.example", "sni": "fleet.example", "sslversionmin": "TLSv1.2",
    }  # fmt: skip
    agency = dict(sections["agency"])
    assert (agency["connect"], agency["protocol"], agency["protocolhost"]) == ("proxy:3128", "connect", "10.0.0.1:443")
    assert (agency["checkip"], "checkhost" in agency, "sni" in agency) == ("10.0.0.1", False, False)
    assert "engineCtrl = MODULE_PATH:/usr/lib/module.so\nengineCtrl = PIN:135790\n" in written
