"""What the settings of a kiosk say about the sandbox bank: its terminal, and the TEST authority of its cards."""

from typing import Any

from simulators.cards import bank_keys
from simulators.hosts.bank import MERCHANT, TERMINAL
from simulators.pki import Pki


def bank_settings() -> dict[str, Any]:
    """The table ``bank``."""
    authority = bank_keys.ca_key()
    key = {
        "rid": bank_keys.RID.hex().upper(),
        "index": bank_keys.CA_INDEX,
        "modulus": authority.modulus_bytes.hex().upper(),
        "exponent": authority.exponent,
    }
    return {"terminal_id": TERMINAL, "merchant_id": MERCHANT, "ca_keys": {"test": key}}


def bank_host_settings(port: int, pki: Pki) -> dict[str, Any]:
    """The table ``hosts.bank``: TLS over TCP, no HTTP."""
    return {
        "url": f"tls://127.0.0.1:{port}",
        "ca": str(pki.hosts_ca),
        "certificate": str(pki.terminal_certificate),
        "private_key": str(pki.terminal_key),
    }
