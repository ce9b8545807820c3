"""From settings to what the card driver is told."""

from kiosk.ports.debit import CaKey, DebitRules
from kiosk.settings.bank_rules import BankRules


def debit_rules(rules: BankRules) -> DebitRules:
    return DebitRules(
        aids=rules.aids,
        ca_keys=tuple(
            CaKey(key.rid, key.index, bytes.fromhex(key.modulus), key.exponent, key.expires)
            for key in rules.ca_keys.values()
        ),
        revoked=frozenset((rid.upper(), index, serial.upper()) for rid, index, serial in rules.revoked),
        ifd_serial=rules.terminal_id,
    )
