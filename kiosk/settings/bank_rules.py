"""Table ``bank`` of the settings: what the acquirer lays down for this terminal."""

import msgspec


class CaKeyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A payment system's public key, in hex. ``expires``: YYMMDD, "" = for ever."""

    rid: str
    index: int
    modulus: str
    exponent: int = 3
    expires: str = ""


class BankRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the acquirer lays down for this terminal; docs/hosts/bank.md explains each. The address is in hosts.bank."""

    terminal_id: str = "00000001"
    merchant_id: str = "999000000000001"
    tpdu: str = "6000030000"
    header: str = "613100313031"
    pad_master: int = 0  # where in the pad the terminal's master key is, and which slots take the working keys
    pin_slot: int = 0
    mac_slot: int = 1
    mac_form: str = "unionpay_ecb"  # unionpay_ecb | x9.19; the pad's own option must say the same
    key_form: str = "004"  # 003 single-length, 004 double-length working keys
    key_age_s_max: float = 86_400.0  # then signed on again
    pin_digits_min: int = 6
    pin_digits_max: int = 6
    pin_entry_s: float = 60.0
    pin_for_void: bool = True
    aids: tuple[str, ...] = ("A000000333010101",)  # debit only
    ca_keys: dict[str, CaKeyEntry] = {}  # by any name
    revoked: tuple[tuple[str, int, str], ...] = ()  # RID, key index, serial of an issuer's certificate


def bank_rules(bank: BankRules) -> list[tuple[bool, str]]:
    """What must hold of the table."""
    return [
        (len(bank.terminal_id) == 8, "bank.terminal_id has eight characters"),
        (len(bank.merchant_id) == 15, "bank.merchant_id has fifteen characters"),
        (_is_hex(bank.tpdu, 5), "bank.tpdu is five bytes in hex"),
        (_is_hex(bank.header, 6), "bank.header is six bytes in hex"),
        (bank.mac_form in ("unionpay_ecb", "x9.19"), "bank.mac_form is unionpay_ecb or x9.19"),
        (bank.key_form in ("003", "004"), "bank.key_form is 003 or 004"),
        (bank.pin_slot != bank.mac_slot, "bank.pin_slot and mac_slot differ"),
        (4 <= bank.pin_digits_min <= bank.pin_digits_max <= 12, "bank PIN lengths lie between 4 and 12"),
        (all(_is_hex(key.modulus, None) for key in bank.ca_keys.values()), "bank.ca_keys: modulus is hex"),
        (all(_is_hex(aid, None) for aid in bank.aids), "bank.aids are hex"),
    ]


def _is_hex(text: str, count: int | None) -> bool:
    """Whole bytes in hex, ``count`` of them, or any number from one up."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return False
    return len(raw) == count if count is not None else bool(raw)
