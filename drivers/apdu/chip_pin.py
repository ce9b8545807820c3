"""VERIFY and CHANGE PIN of the social security application. Everything that holds digits is a bytearray, to be wiped.

``00 20 00 00 Lc PIN``: the PIN is BCD, two digits a byte, an odd count padded with F, 2 to 6 bytes.
``80 5E 01 00 Lc old FF new``. Both go to the card once: neither is idempotent, and 6Cxx or 61xx do not occur.
"""

DIGITS_MIN, DIGITS_MAX = 4, 12


def packed(digits: bytearray) -> bytearray:
    """ASCII digits to BCD. The caller wipes both."""
    assert DIGITS_MIN <= len(digits) <= DIGITS_MAX
    packed_pin = bytearray((len(digits) + 1) // 2)
    for position in range(len(packed_pin)):
        low = digits[2 * position + 1] - 0x30 if 2 * position + 1 < len(digits) else 0xF
        packed_pin[position] = (digits[2 * position] - 0x30) << 4 | low
    return packed_pin


def verify_command(pin: bytearray) -> bytearray:
    """``pin``: ASCII digits. The caller wipes the command."""
    body = packed(pin)
    command = bytearray((0x00, 0x20, 0x00, 0x00, len(body))) + body
    wipe(body)
    return command


def change_command(old: bytearray, new: bytearray) -> bytearray:
    """``old`` and ``new``: ASCII digits. The caller wipes the command."""
    before, after = packed(old), packed(new)
    command = bytearray((0x80, 0x5E, 0x01, 0x00, len(before) + 1 + len(after))) + before + b"\xff" + after
    wipe(before, after)
    return command


def wipe(*secrets: bytearray) -> None:
    """Overwrite in place. Copies made by tty, serial library and PC/SC library are out of reach: they die with the
    process, which is why that process is short-lived."""
    for secret in secrets:
        for position in range(len(secret)):
            secret[position] = 0
