"""Status words of social security cards: ISO 7816-4, and the list in card-and-hosts 1.7."""

OK = 0x9000
AUTHENTICATION_FAILED = 0x6300
SECURITY_NOT_SATISFIED = 0x6982
PIN_LOCKED = 0x6983
DATA_INVALID = 0x6984
CONDITIONS_NOT_SATISFIED = 0x6985
FILE_NOT_FOUND = 0x6A82
RECORD_NOT_FOUND = 0x6A83
WRONG_PARAMETERS = 0x6A86

# A card that does not know a form of a command says so with one of these; then another form is tried.
OTHER_FORM = frozenset({0x6981, 0x6A80, 0x6A81, FILE_NOT_FOUND, RECORD_NOT_FOUND, WRONG_PARAMETERS, 0x6B00, 0x6700})


class CardRefused(Exception):
    """The card answered no where the caller needed a yes. ``status`` is its word."""

    def __init__(self, step: str, status: int) -> None:
        super().__init__(f"{step}: {status:04X}")
        self.step = step
        self.status = status


def tries_left(status: int) -> int | None:
    """x of 63Cx, else None."""
    return status & 0x0F if status & 0xFFF0 == 0x63C0 else None
