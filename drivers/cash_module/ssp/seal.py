"""eSSP: key exchange and sealed packets. Keeps the casual away and no one else: 64-bit Diffie-Hellman without
authentication, AES in ECB. The protocol has nothing better; the line is inside the cabinet.

Packet: ``7E | AES-128-ECB(LEN, COUNT u32 low first, data, padding to whole blocks, CRC16)``. Key: a fixed half and a
negotiated half, each 8 bytes low first. Source: protocol manual GA138, chapter on encryption.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from drivers.cash_module.crc import crc16_ssp

SEALED = 0x7E
BLOCK = 16
OVERHEAD = 7  # LEN, COUNT, CRC
GENERATOR, MODULUS = 1287821, 982451653  # primes; each device negotiates its own secret half


def half(number: int) -> bytes:
    return number.to_bytes(8, "little")


def inter_key(secret: int) -> int:
    return pow(GENERATOR, secret, MODULUS)


def shared_key(fixed: int, other_inter_key: int, secret: int) -> bytes:
    """The AES key of this session."""
    return half(fixed) + half(pow(other_inter_key, secret, MODULUS))


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - the protocol's mode


def seal(key: bytes, count: int, data: bytes) -> bytes:
    """Padded with zeros: the manual wants random bytes, which protect nothing here beside the counter."""
    text = bytes((len(data),)) + count.to_bytes(4, "little") + data
    text += bytes(-(len(text) + 2) % BLOCK)
    text += crc16_ssp(text).to_bytes(2, "little")
    encryptor = _cipher(key).encryptor()
    return bytes((SEALED,)) + encryptor.update(text) + encryptor.finalize()


def open_sealed(key: bytes, packet: bytes) -> tuple[int, bytes] | None:
    """(COUNT, data), or None: not sealed with this key."""
    if packet[:1] != bytes((SEALED,)) or len(packet) < 1 + BLOCK or (len(packet) - 1) % BLOCK:
        return None
    decryptor = _cipher(key).decryptor()
    text = decryptor.update(packet[1:]) + decryptor.finalize()
    if crc16_ssp(text[:-2]) != int.from_bytes(text[-2:], "little") or text[0] > len(text) - OVERHEAD:
        return None
    return int.from_bytes(text[1:5], "little"), text[5 : 5 + text[0]]
