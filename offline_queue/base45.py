"""Bytes in the 45 characters of which a QR code packs two into eleven bits (RFC 9285)."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


_DIGITS = {char: value for value, char in enumerate(ALPHABET)}


def base45(raw: bytes) -> str:
    """Three characters for two bytes, two for an odd last one."""
    text = []
    for place in range(0, len(raw), 2):
        pair = raw[place : place + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            text.append(ALPHABET[digit])
    return "".join(text)


def from_base45(text: str) -> bytes:
    """Raises ValueError: no such text."""
    raw = bytearray()
    for place in range(0, len(text), 3):
        group = text[place : place + 3]
        if len(group) == 1 or not _DIGITS.keys() >= set(group):
            raise ValueError("not base45")
        number = sum(_DIGITS[char] * 45**power for power, char in enumerate(group))
        if number >= 1 << 8 * (len(group) - 1):
            raise ValueError("not base45")
        raw += number.to_bytes(len(group) - 1, "big")
    return bytes(raw)
