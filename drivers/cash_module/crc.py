"""Check sums of cash protocols, a byte at a time: a module at work is asked seven times a second."""


def _kermit(crc: int) -> int:
    for _ in range(8):
        crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def _ssp(crc: int) -> int:
    for _ in range(8):
        crc = (crc << 1 ^ (0x8005 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


_KERMIT = [_kermit(byte) for byte in range(256)]
_SSP = [_ssp(byte << 8) for byte in range(256)]


def crc16_kermit(body: bytes) -> int:
    """CCNET and ID-003, sent low byte first: polynomial 1021 reflected, start 0."""
    crc = 0
    for byte in body:
        crc = crc >> 8 ^ _KERMIT[(crc ^ byte) & 0xFF]
    return crc


def crc16_ssp(body: bytes) -> int:
    """SSP, sent low byte first: polynomial 8005 not reflected, start FFFF."""
    crc = 0xFFFF
    for byte in body:
        crc = (crc & 0xFF) << 8 ^ _SSP[crc >> 8 ^ byte]
    return crc
