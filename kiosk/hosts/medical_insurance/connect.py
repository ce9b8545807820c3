"""Puts the client together from the settings, for a composition root."""

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from kiosk.hosts.medical_insurance.client import MedicalInsuranceClient
from kiosk.hosts.medical_insurance.message_id import MessageIds
from kiosk.hosts.medical_insurance.signer import (
    FrontEndSigner,
    GatewaySigner,
    SignatureMaker,
    Signer,
    Sm3Signature,
    SmSigner,
)
from kiosk.hosts.medical_insurance.sm2 import sm2_signature
from kiosk.ports import HostLink
from kiosk.settings.config import Settings
from kiosk.settings.medical_rules import MedicalInsuranceRules

# In data_dir, which survives.
COUNTER = "message-ids"
FORWARDERS_COUNTER = "message-ids-forward"
NONCE_BYTES = 16


def connect(
    settings: Settings, link: HostLink, now: Callable[[], datetime], *, newest_id: str = "", forwarder: bool = False
) -> MedicalInsuranceClient:
    """The client of this terminal's kiosk, or of its forwarder; each has its own part of the terminal's serials.

    ``newest_id``: of the messages that the journal knows; none is made before it, also by a counter that was lost.

    Raises:
        MessageIdsUnusable, OSError: the counter of message ids cannot be trusted; no message may be sent.
        ValueError: the settings name no SM2 keys that OpenSSL reads.
    """
    rules = settings.medical_insurance
    data_dir, parted = Path(settings.data_dir), rules.serial_last - rules.forwarder_serials
    if forwarder:
        file, first, last = FORWARDERS_COUNTER, parted + 1, rules.serial_last
    else:
        file, first, last = COUNTER, rules.serial_first, parted
    ids = MessageIds(data_dir / file, rules.institution_code, first, last, now, newest_id)
    return MedicalInsuranceClient(link, rules, settings.terminal.terminal_id, ids, signer_of(rules, now), now)


def signer_of(rules: MedicalInsuranceRules, now: Callable[[], datetime]) -> Signer:
    """The region's signing family."""

    def seconds() -> int:
        return int(now().timestamp())

    match rules.signing:
        case "gateway":
            return GatewaySigner(
                rules.signing_id, rules.signing_secret, seconds, lambda: secrets.token_hex(NONCE_BYTES)
            )
        case "sm":
            return SmSigner(rules.signing_id, rules.signing_secret, _signature_of(rules), seconds)
        case _:
            return FrontEndSigner()


def _signature_of(rules: MedicalInsuranceRules) -> SignatureMaker:
    if not rules.signing_private_key:
        return Sm3Signature()
    return sm2_signature(Path(rules.signing_private_key), Path(rules.platform_public_key))
