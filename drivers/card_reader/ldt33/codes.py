"""The vendor drivers' error codes (public copies of the table agree) and what they mean for a PIN.

A status word of the card is told as its negative: -25538 is 63C2.
"""

from drivers.apdu.status import CONDITIONS_NOT_SATISFIED, DATA_INVALID, FILE_NOT_FOUND, PIN_LOCKED, tries_left
from kiosk.domain.card import PinResult, PinVerdict

WRONG_KIND, NO_CARD, NO_POWER, NO_ANSWER = -1, -2, -3, -4
NOT_CONNECTED = frozenset({-5, -11, -12})
NOT_GENUINE, OTHER_CARD = -21, -22
CARD_AWAY = frozenset({NO_CARD, NO_POWER, NO_ANSWER})
# A chip without the social security application: what its SELECT is answered with.
FOREIGN = frozenset({WRONG_KIND, -0x6A81, -FILE_NOT_FOUND, -0x6D00, -0x6E00})
# Without PSAM, or with one that lacks the key: go through the back end's HSM (rule seen in kiosks).
NEEDS_HSM = frozenset({-2201, -2202, -2203, -27272, -24})

_PIN = {
    0: PinResult.OK,
    -31: PinResult.CANCELLED,
    -32: PinResult.TIMED_OUT,
    -34: PinResult.MISMATCH,
    -35: PinResult.INITIAL,
    -36: PinResult.TOO_SIMPLE,
    -51: PinResult.WRONG,
    -52: PinResult.LOCKED,
    -PIN_LOCKED: PinResult.LOCKED,
    -CONDITIONS_NOT_SATISFIED: PinResult.UNSET,
    -DATA_INVALID: PinResult.UNSET,
}


def pin_verdict(code: int) -> PinVerdict | None:
    """What a code of iVerifyPIN or iChangePIN says about the PIN; None when it is about something else."""
    left = tries_left(-code)
    if left is not None:
        return PinVerdict(PinResult.WRONG if left else PinResult.LOCKED, left)
    result = _PIN.get(code)
    if result is None:
        return None
    return PinVerdict(result, 0 if result is PinResult.LOCKED else None)


def reason(code: int) -> str:
    """A word for logs and staff."""
    return f"vendor_{code}"
