"""Bytes in the 45 characters of which a QR code packs two into eleven bits (RFC 9285)."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


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
