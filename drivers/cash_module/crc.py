"""Check sums of cash protocols, bit by bit: frames are short and seldom."""


def crc16_kermit(body: bytes) -> int:
    """CCNET and ID-003, sent low byte first: polynomial 1021 reflected, start 0."""
    crc = 0
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def crc16_ssp(body: bytes) -> int:
    """SSP, sent low byte first: polynomial 8005 not reflected, start FFFF."""
    crc = 0xFFFF
    for byte in body:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x8005 if crc & 0x8000 else 0)) & 0xFFFF
    return crc
