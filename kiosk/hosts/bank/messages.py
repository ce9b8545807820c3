"""What goes into each message of the terminal (card-and-hosts 5.2): fields only, no bytes, no MAC."""

from dataclasses import dataclass

from kiosk.hosts.bank.codec import Fields
from kiosk.ports.debit import DebitAccount
from kiosk.ports.money import BankIntent, BankPayment

GOODS, VOID, REFUND, BALANCE = 0x00, 0x20, 0x20, 0x31
_PURCHASE, _BACK, _INQUIRY = "000000", "200000", "310000"
CHIP_WITH_PIN, CHIP_WITHOUT_PIN = "051", "052"
SINGLE_LENGTH, DOUBLE_LENGTH = "003", "004"  # F60.3 of a sign-on: which keys are wanted
_PIN_FORMAT = {"3des": "2600000000000000", "sm4": "2610000000000000"}  # the second is INVENTED


@dataclass(frozen=True)
class Station:
    """Who is asking, in which batch."""

    terminal_id: str
    merchant_id: str
    batch_number: str
    pin_cipher: str = "3des"

    @property
    def names(self) -> Fields:
        return {"41": self.terminal_id, "42": self.merchant_id}


def sign_on(station: Station, trace: str, key_form: str) -> Fields:
    return {"11": trace, **station.names, "60": f"00{station.batch_number}{key_form}", "63": "001"}


def purchase(station: Station, intent: BankIntent, account: DebitAccount, pin_block: bytes, chip: bytes) -> Fields:
    return _with_card(station, intent, account, pin_block) | {"55": chip.hex(), "60": f"22{station.batch_number}00050"}


def balance(station: Station, intent: BankIntent, account: DebitAccount, pin_block: bytes, chip: bytes) -> Fields:
    fields = _with_card(station, intent, account, pin_block)
    del fields["4"]
    return fields | {"55": chip.hex(), "60": f"01{station.batch_number}00050"}


def void(station: Station, intent: BankIntent, account: DebitAccount, pin_block: bytes, payment: BankPayment) -> Fields:
    fields = _with_card(station, intent, account, pin_block) | _original(intent)
    return fields | _names(payment) | {"60": f"23{station.batch_number}00050"}


def refund(station: Station, intent: BankIntent, account: DebitAccount, payment: BankPayment) -> Fields:
    fields = _with_card(station, intent, account, b"") | _original(intent, payment.paid_on.rjust(4, "0"))
    return fields | _names(payment) | {"60": f"25{station.batch_number}00050"}


def _names(payment: BankPayment) -> Fields:
    """By which the bank knows it. A purchase that only its file of the day tells of has no authorization."""
    return {"37": payment.reference, **({"38": payment.authorization} if payment.authorization else {})}


def reversal(station: Station, intent: BankIntent) -> Fields:
    """A 0400 carries the original's trace number, and nothing of track 2 or PIN, so it can be made after a restart."""
    fields = {**_account(intent), **_amount(intent), "11": intent.trace_number, **station.names}
    fields |= {"25": "00", "39": intent.reason, "60": f"{_reversal_kind(intent)}{intent.batch_number}00050"}
    fields["61"] = f"{intent.batch_number}{intent.trace_number}"
    optional = {"38": intent.authorization, "55": intent.chip}
    return fields | {number: value for number, value in optional.items() if value}


def script_notice(station: Station, intent: BankIntent) -> Fields:
    fields = {**_account(intent), **_amount(intent), "11": intent.trace_number, **station.names, **_original(intent)}
    return fields | {"55": intent.chip, "60": f"00{station.batch_number}951"}


def processing_code(kind: str) -> str:
    """F3 by kind of act."""
    return {"purchase": _PURCHASE, "void": _BACK, "refund": _BACK, "balance": _INQUIRY, "script_notice": _PURCHASE}[
        kind
    ]


def _with_card(station: Station, intent: BankIntent, account: DebitAccount, pin_block: bytes) -> Fields:
    fields = {**_account(intent), **_amount(intent), "11": intent.trace_number, **station.names, "25": "00"}
    if account.track2:
        fields["35"] = account.track2
    if pin_block:
        fields |= {"26": "12", "52": pin_block.hex(), "53": _PIN_FORMAT[station.pin_cipher]}
    return fields


def _account(intent: BankIntent) -> Fields:
    return {"2": intent.pan, "14": intent.expires, "22": intent.entry_mode, "23": intent.sequence.rjust(4, "0")}


def _amount(intent: BankIntent) -> Fields:
    return {"3": intent.processing, "4": f"{intent.amount_fen:012d}", "49": "156"}


def _original(intent: BankIntent, day: str = "") -> Fields:
    return {"61": f"{intent.original_batch}{intent.original_trace}{day}"}


def _reversal_kind(intent: BankIntent) -> str:
    return {"purchase": "22", "void": "23"}[intent.kind]
