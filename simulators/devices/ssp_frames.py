"""SSP frames and eSSP packets from the device's side. From the same public manual as the terminal's, separately."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HELD_BACK_MAX = 1024


def _shifted(bits: int) -> int:
    """What the polynomial makes of the high half of the register while a byte goes through it."""
    register = bits << 8
    for _ in range(8):
        register = (register << 1) ^ (0x18005 if register & 0x8000 else 0)
    return register


_SHIFTED = tuple(map(_shifted, range(256)))


def check_sum(text: bytes) -> bytes:
    high = low = 0xFF
    for byte in text:
        made = _SHIFTED[high ^ byte]
        high, low = low ^ (made >> 8), made & 0xFF
    return bytes((low, high))


def frame_of(seq_id: int, data: bytes) -> bytes:
    inner = bytes((seq_id, len(data))) + data
    inner += check_sum(inner)
    return b"\x7f" + b"".join(b"\x7f\x7f" if byte == 0x7F else bytes((byte,)) for byte in inner)


class Reader:
    """Cuts frames out of the stream: (SEQ and address, data); what does not check is dropped."""

    def __init__(self) -> None:
        self._text = bytearray()

    def forget(self) -> None:
        self._text.clear()

    def read(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        self._text += chunk
        del self._text[:-HELD_BACK_MAX]
        while (start := self._text.find(0x7F)) >= 0:
            del self._text[:start]
            inner, used, ended = self._unstuffed()
            if not ended:
                return
            del self._text[:used]
            if inner is not None:
                yield inner[0], inner[2:-2]

    def _unstuffed(self) -> tuple[bytes | None, int, bool]:
        """The frame that begins the text, how much of the text it took, and whether that is decided."""
        inner = bytearray()
        at = 1
        while at < len(self._text):
            byte = self._text[at]
            if byte == 0x7F:
                if at + 1 >= len(self._text):
                    return None, 0, False
                if self._text[at + 1] != 0x7F:
                    return None, at, True  # another frame begins here
                at += 1
            inner.append(byte)
            at += 1
            if len(inner) >= 2 and len(inner) == inner[1] + 4:
                good = inner[1] > 0 and check_sum(bytes(inner[:-2])) == inner[-2:]
                return (bytes(inner) if good else None), at, True
        return None, 0, False


class Vault:
    """The device's half of the key exchange and of the sealed packets."""

    def __init__(self, fixed_key: int, secret: int) -> None:
        self._fixed_key, self._secret = fixed_key, secret
        self.generator = self.modulus = 0
        self._key: bytes | None = None
        self.count = 0

    @property
    def ready(self) -> bool:
        return self._key is not None

    def exchange(self, host_key: int) -> int | None:
        """Our half for the host's; None before generator and modulus are known."""
        if self.generator < 2 or self.modulus < 2:
            return None
        shared = pow(host_key, self._secret, self.modulus)
        self._key = self._fixed_key.to_bytes(8, "little") + shared.to_bytes(8, "little")
        self.count = 0
        return pow(self.generator, self._secret, self.modulus)

    def open(self, packet: bytes) -> bytes | None:
        """Data of a host's packet with the right count; the count moves on."""
        if self._key is None or len(packet) < 17 or (len(packet) - 1) % 16:
            return None
        decryptor = Cipher(algorithms.AES(self._key), modes.ECB()).decryptor()  # noqa: S305 - the protocol's mode
        text = decryptor.update(packet[1:]) + decryptor.finalize()
        if check_sum(text[:-2]) != text[-2:] or int.from_bytes(text[1:5], "little") != self.count:
            return None
        self.count += 1
        return text[5 : 5 + text[0]]

    def seal(self, data: bytes) -> bytes:
        assert self._key is not None
        text = bytes((len(data),)) + self.count.to_bytes(4, "little") + data
        text += bytes((14 - len(text)) % 16)
        text += check_sum(text)
        encryptor = Cipher(algorithms.AES(self._key), modes.ECB()).encryptor()  # noqa: S305 - the protocol's mode
        return b"\x7e" + encryptor.update(text) + encryptor.finalize()
