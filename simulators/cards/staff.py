"""The staff card's other half: a chip with a certificate, its key and a PIN. INVENTED, see docs/devices/staff_card.md.

The PIN and the tries left survive removal; the selected file and a verified PIN do not.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from simulators.pki import Pki, staff_credentials
from simulators.worlds.world import StaffEntry, World

OK = bytes.fromhex("9000")
AID = bytes.fromhex("F0594B5453544631")
FILE = bytes.fromhex("EF0C")
CHALLENGE = 32
CONTEXT = b"yikatong staff card 1\x00"


@dataclass(frozen=True)
class Credentials:
    """A certificate and the key that belongs to it, or, on a forged card, does not."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class VirtualStaffCard:
    """One chip, T=1. ``transmit`` never raises."""

    mute = False
    city = ""  # no city issued it

    def __init__(self, entry: StaffEntry, credentials: Credentials) -> None:
        self.handle = entry.handle
        self.atr = _atr()
        self.tries_left = entry.tries_left
        self.tries_max = entry.tries_max
        self._pin = entry.pin
        self._key = credentials.key
        self._certificate = credentials.certificate.public_bytes(serialization.Encoding.DER)
        self.power_off()

    def accepts_pin(self, digits: str) -> bool:
        """For whoever checks from outside, without costing a try."""
        return digits == self._pin

    def power_off(self) -> None:
        self._selected = False
        self._file = False

    def reset(self) -> None:
        self.power_off()

    def transmit(self, apdu: bytes) -> bytes:
        """One C-APDU to one R-APDU."""
        if len(apdu) < 4:
            return _sw(0x6700)
        data = apdu[5 : 5 + apdu[4]] if len(apdu) > 5 else b""
        if apdu[:4] == b"\x00\xa4\x04\x00":
            return self._select_application(data)
        if not self._selected:
            return _sw(0x6985)
        match apdu[:2]:
            case b"\x00\xa4":
                self._file = data == FILE
                return OK if self._file else _sw(0x6A82)
            case b"\x00\xb0":
                return self._read(int.from_bytes(apdu[2:4], "big"), (apdu[4] if len(apdu) > 4 else 0) or 256)
            case b"\x00\x88":
                return self._sign(data) if apdu[3] == 0x01 else _sw(0x6A88)
            case b"\x00\x20":
                return self._verify(data)
        return _sw(0x6D00)

    def _select_application(self, name: bytes) -> bytes:
        """A name that is not ours leaves what was selected, as ISO 7816-4 wants it."""
        if name != AID:
            return _sw(0x6A82)
        self._selected, self._file = True, False
        return OK

    def _read(self, offset: int, wanted: int) -> bytes:
        if not self._file:
            return _sw(0x6986)
        piece = self._certificate[offset : offset + wanted]
        return piece + OK if piece else _sw(0x6B00)

    def _sign(self, challenge: bytes) -> bytes:
        if len(challenge) != CHALLENGE:
            return _sw(0x6700)
        r, s = decode_dss_signature(self._key.sign(CONTEXT + challenge, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + OK

    def _verify(self, presented: bytes) -> bytes:
        if self.tries_left <= 0:
            return _sw(0x6983)
        if presented == bytes.fromhex(self._pin + "F" * (len(self._pin) % 2)):
            self.tries_left = self.tries_max
            return OK
        self.tries_left -= 1
        return _sw(0x63C0 + self.tries_left)


def staff_cards(world: World, pki: Pki) -> dict[str, VirtualStaffCard]:
    """Every staff card of a world, by handle; their certificates are issued by the demo PKI's staff authority."""
    return {
        entry.handle: VirtualStaffCard(
            entry,
            Credentials(*staff_credentials(pki, entry.handle, entry.staff_id, entry.role, expired=entry.expired)),
        )
        for entry in world.staff
    }


def _atr() -> bytes:
    """T=1, eight historical bytes "YKTSTF1 " and the check byte."""
    body = bytes.fromhex("888101") + b"YKTSTF1 "
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes([check])


def _sw(status: int) -> bytes:
    return status.to_bytes(2, "big")
