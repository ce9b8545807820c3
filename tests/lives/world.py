"""A world of residents who come once each, and what each of them comes for."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

PIN = "246810"
BANK_PIN = "852963"
BILL_FEN = 19_000  # two notes of 100, ten yuan of change
BALANCE_FEN = 100_000


class Errand(Enum):
    BILL_IN_NOTES = "bill_in_notes"
    BILL_BY_CARD = "bill_by_card"
    DEPOSIT_IN_NOTES = "deposit_in_notes"
    DEPOSIT_BY_CARD = "deposit_by_card"

    @property
    def by_card(self) -> bool:
        return self in (Errand.BILL_BY_CARD, Errand.DEPOSIT_BY_CARD)

    @property
    def is_deposit(self) -> bool:
        return self in (Errand.DEPOSIT_IN_NOTES, Errand.DEPOSIT_BY_CARD)


_RESIDENT = """
[[residents]]
handle = "r{number}"
name = "试用者"
number = "{person}"
born = "1951-03-08"
medical_scheme = "310"
admission = "{admission}"
insurances.medical = {{ state = "in_force", since = "2001-01-01", months = 310 }}

[[residents.bills]]
id = "2026112100{number:02d}"
department = "内科"
visited_on = "2026-11-21"
lines = [{{ name = "血压计", amount_fen = {amount}, kind = "own" }}]

[[cards]]
handle = "r{number}"
title = "r{number}"
resident = "r{number}"
pin = "{pin}"
"""
# Both ways in which a card checks its issuer, and a script for every second one: 0620 is owed after those.
_ACCOUNT = """
[[bank_accounts]]
card = "r{number}"
pan = "{pan}"
pin = "{pin}"
balance_fen = {balance}
issuer_proof = "{proof}"
script = "{script}"
"""
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643


def write_world(path: Path, errands: Sequence[Errand]) -> Path:
    """Resident ``r1`` comes for the first errand, and so on. Only a pocket or a bank account can pay their bills."""
    text = 'name = "lives"\ncity = "990001"\n'
    text += "".join(_resident(number, errand) for number, errand in enumerate(errands, 1))
    text += "".join(_account(number) for number, errand in enumerate(errands, 1) if errand.by_card)
    path.write_text(text)
    return path


def _resident(number: int, errand: Errand) -> str:
    stay = f"ZY2026{number:04d}" if errand.is_deposit else ""
    return _RESIDENT.format(number=number, person=_person(number), amount=BILL_FEN, pin=PIN, admission=stay)


def _account(number: int) -> str:
    proof, script = ("second_ac", "none") if number % 2 else ("external", "unblock_counter")
    return _ACCOUNT.format(
        number=number, pan=_pan(number), pin=BANK_PIN, balance=BALANCE_FEN, proof=proof, script=script
    )


def _person(number: int) -> str:
    digits = f"99000119510308{number:03d}"
    weighed = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return digits + "10X98765432"[weighed % 11]


def _pan(number: int) -> str:
    """In nobody's range, with its check digit (ISO/IEC 7812-1, annex B)."""
    digits = f"9990019{number:011d}"
    doubled = [int(digit) * (1 if at % 2 else 2) for at, digit in enumerate(reversed(digits))]
    total = sum(one - 9 if one > 9 else one for one in doubled)
    return digits + str(-total % 10)
