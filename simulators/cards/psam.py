"""The PSAM in the second slot: it computes with the TEST master keys and never gives one out.

Application D15600000590; MF/0015 holds the serial (10 bytes from offset 1), MF/0016 the terminal number (6 bytes).
``BF DE 48 <key> 18`` loads seed, city factor and random, ``80 FA 00 00`` computes: the first as observed publicly, the
key numbers and the two-block form for internal authentication INVENTED.
"""

from simulators.cards.keys import diversify, encrypt
from simulators.worlds.world import Keys

READ_SSSE_KEY = 0x07
INTERNAL_KEY = 0x01
_APPLICATION = bytes.fromhex("D15600000590")


class VirtualPsam:
    """Speaks T=0 with 61xx. ``lacks_read_key`` makes one that cannot open spec 3.00 cards."""

    atr = bytes.fromhex("3B6E00000081504153414D00000100000001")
    mute = False

    def __init__(self, keys: Keys, serial: str = "41010000000000000001", lacks_read_key: bool = False) -> None:
        self._masters = {INTERNAL_KEY: bytes.fromhex(keys.internal_authentication)}
        if not lacks_read_key:
            self._masters[READ_SSSE_KEY] = bytes.fromhex(keys.read_ssse)
        self._files = {0x0015: b"\x01" + bytes.fromhex(serial), 0x0016: bytes.fromhex("410100000001")}
        self.power_off()

    def power_off(self) -> None:
        self._in_application = False
        self._file = b""
        self._key = b""
        self._waiting = b""

    def reset(self) -> None:
        self.power_off()

    def transmit(self, apdu: bytes) -> bytes:
        """One C-APDU to one R-APDU; never raises."""
        if len(apdu) < 4:
            return bytes.fromhex("6700")
        header, data = apdu[:2], apdu[5 : 5 + apdu[4]] if len(apdu) > 5 else b""
        if header == b"\x00\xa4":
            return self._select(data)
        if header == b"\x00\xb0":
            return self._read_binary(apdu)
        if header == b"\x00\xc0":
            answer, self._waiting = self._waiting, b""
            return answer + b"\x90\x00" if answer else bytes.fromhex("6985")
        if not self._in_application:
            return bytes.fromhex("6985")
        if header == b"\xbf\xde":
            return self._load(apdu[3], data)
        if header == b"\x80\xfa":
            return self._compute(data)
        return bytes.fromhex("6D00")

    def _select(self, data: bytes) -> bytes:
        if data in (_APPLICATION, b"\x3f\x00"):
            self._in_application = data == _APPLICATION
            self._file = b""
            return b"\x90\x00"
        if self._in_application or len(data) != 2 or int.from_bytes(data, "big") not in self._files:
            return bytes.fromhex("6A82")
        self._file = self._files[int.from_bytes(data, "big")]
        return b"\x90\x00"

    def _read_binary(self, apdu: bytes) -> bytes:
        offset, wanted = int.from_bytes(apdu[2:4], "big"), apdu[4] if len(apdu) > 4 else 0
        piece = self._file[offset : offset + (wanted or 256)]
        if not piece:
            return bytes.fromhex("6B00")
        if wanted != len(piece):
            return bytes([0x6C, len(piece)])
        return piece + b"\x90\x00"

    def _load(self, key: int, data: bytes) -> bytes:
        if key not in self._masters:
            return bytes.fromhex("9403")
        if len(data) != 24:
            return bytes.fromhex("6700")
        seed, city, _random = data[:8], data[8:16], data[16:]
        self._key = diversify(diversify(self._masters[key], city), seed)
        return b"\x90\x00"

    def _compute(self, data: bytes) -> bytes:
        if not self._key:
            return bytes.fromhex("6985")
        if len(data) not in (8, 16):
            return bytes.fromhex("6700")
        self._waiting = encrypt(self._key, data)
        return bytes([0x61, len(self._waiting)])
