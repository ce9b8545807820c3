"""The resident's card: APDUs in, answers out, as the public descriptions of LD/T 32 have it.

State that a real chip keeps (PIN, tries left) lives in the object and so survives removal and power-off; state of the
moment (selected file, PIN verified, keys proven) is lost at power-off and reset.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.cards.chip import (
    DF04,
    SSSE,
    Access,
    ChipFile,
    build_atr,
    build_files,
    build_identification_code,
    pin_of,
)
from simulators.cards.debit import DebitApplication
from simulators.cards.keys import external_cryptogram, internal_response
from simulators.worlds.world import BankAccount, Card, Keys, Resident

OK = bytes.fromhex("9000")
_MF = bytes.fromhex("315041592E5359532E4444463031")


@dataclass(frozen=True)
class Habits:
    """How cards of different makers differ, for the tests of a driver's tolerance."""

    get_response: bool = True  # T=0 only: 61xx after a command with data and answer
    exact_le: bool = True  # T=0 only: 6Cxx to a Le that is not the record's length
    read_forms: frozenset[int] = frozenset({0x00, 0x04, 0x05})  # P2 of READ RECORD
    select_forms: frozenset[int] = frozenset({0x00, 0x02})  # P1 of SELECT by file id
    unset_status: int = 0x6985  # VERIFY on a card that was never given a PIN
    select_forgets_keys: bool = True  # SELECT by name voids an external authentication
    last_try_says_63c0: bool = True  # else 6983 at once


@dataclass
class _Moment:
    """What power-off forgets."""

    application: bytes = b""
    file: ChipFile | None = None
    pin_verified: bool = False
    key_proven: bool = False
    challenge: bytes = b""
    waiting: bytes = field(default=b"", repr=False)  # for GET RESPONSE


class VirtualCard:
    """One chip. ``transmit`` never raises for any bytes; a mute card is the slot's business (``mute``)."""

    def __init__(
        self,
        card: Card,
        resident: Resident,
        keys: Keys,
        city: str = "410100",
        habits: Habits = Habits(),
        random: Callable[[int], bytes] = os.urandom,
        account: BankAccount | None = None,
    ) -> None:
        self.handle = card.handle
        self.mute = card.mute
        self.identification_code = build_identification_code(card, city, keys)
        self.atr = build_atr(card, self.identification_code)
        self.pin_state = card.pin_state
        self.tries_left = card.tries_left
        self.tries_max = card.tries_max
        self._pin = _bcd(pin_of(card))
        self._files = build_files(card, resident, self.identification_code)
        self._t0 = not card.spec.startswith("3")
        self._keys = keys if not card.counterfeit else _forged(keys)
        self._habits = habits
        self._random = random
        self._moment = _Moment()
        self.debit = DebitApplication(account, keys, "TEST HOLDER", t0=self._t0) if account else None

    @property
    def city(self) -> str:
        return self.identification_code[:3].hex()

    def accepts_pin(self, digits: str) -> bool:
        """For whoever checks from outside, without costing a try."""
        return self.pin_state != "unset" and self._pin == _bcd(digits)

    def power_off(self) -> None:
        self._moment = _Moment()
        if self.debit:
            self.debit.power_off()

    def reset(self) -> None:
        self.power_off()

    def transmit(self, apdu: bytes) -> bytes:
        """One C-APDU to one R-APDU (data and status word)."""
        if len(apdu) < 4:
            return _sw(0x6700)
        name = _COMMANDS.get((apdu[0], apdu[1]), "")
        if name != "_get_response" and self.debit and self.debit.claims(apdu):
            name, answer = "debit", self.debit.transmit(apdu)
        elif name:
            command: Callable[[bytes], bytes] = getattr(self, name)
            answer = command(apdu)
        else:
            return _sw(0x6D00 if apdu[0] in (0x00, 0x80) else 0x6E00)
        if name != "_get_response":
            self._moment.waiting = b""
        has_command_data = len(apdu) > 5
        if self._t0 and self._habits.get_response and has_command_data and len(answer) > 2:
            self._moment.waiting = answer[:-2]
            return bytes([0x61, len(answer) - 2])
        return answer

    def _get_response(self, apdu: bytes) -> bytes:
        waiting = self._moment.waiting
        if not waiting:
            return _sw(0x6985)
        wanted = (apdu[4] if len(apdu) > 4 else 0) or 256
        if wanted > len(waiting):
            return bytes([0x6C, len(waiting)])
        self._moment.waiting = waiting[wanted:]
        rest = len(self._moment.waiting)
        return waiting[:wanted] + (bytes([0x61, min(rest, 255)]) if rest else OK)

    def _select(self, apdu: bytes) -> bytes:
        data = _data(apdu)
        if apdu[2] == 0x04:
            if data not in {SSSE, _MF} | {application for application, _ in self._files}:
                return _sw(0x6A82)
            self._enter(data)
            return _fci(data) + OK
        if data == bytes.fromhex("3F00"):
            self._enter(_MF)
            return _fci(_MF) + OK
        found = self._files.get((self._moment.application, int.from_bytes(data, "big")))
        if apdu[2] not in self._habits.select_forms:
            return _sw(0x6A86)
        if found is None:
            return _sw(0x6A82)
        self._moment.file = found
        return OK

    def _enter(self, application: bytes) -> None:
        self._moment.application = application
        self._moment.file = None
        if self._habits.select_forgets_keys:
            self._moment.key_proven = False

    def _read_record(self, apdu: bytes) -> bytes:
        moment, p1, p2 = self._moment, apdu[2], apdu[3]
        if moment.file is None:
            return _sw(0x6986)
        if p2 not in self._habits.read_forms:
            return _sw(0x6A86)
        if not self._open(moment.file.access):
            return _sw(0x6982)
        records = [bytes([tag, len(value)]) + value for tag, value in moment.file.items.items()]
        if p2 == 0x00:
            found = b"".join(record for record in records if record[0] == p1)
        elif p2 == 0x04:
            found = records[p1 - 1] if 1 <= p1 <= len(records) else b""
        else:
            found = b"".join(records[max(p1, 1) - 1 :])[:255]
        if not found:
            return _sw(0x6A83)
        wanted = (apdu[4] if len(apdu) > 4 else 0) or 256
        if self._t0 and self._habits.exact_le and p2 != 0x05 and wanted != len(found):
            return bytes([0x6C, len(found)])
        return found[:wanted] + OK

    def _open(self, access: Access) -> bool:
        if access is Access.FREE:
            return True
        return self._moment.key_proven or (access is Access.PIN_OR_KEY and self._moment.pin_verified)

    def _get_challenge(self, apdu: bytes) -> bytes:
        self._moment.challenge = self._random((apdu[4] if len(apdu) > 4 else 0) or 8)
        return self._moment.challenge + OK

    def _internal_authenticate(self, apdu: bytes) -> bytes:
        challenge = _data(apdu)
        if len(challenge) != 16:
            return _sw(0x6700)
        return internal_response(self._keys, self.city, self.atr[-8:], challenge) + OK

    def _external_authenticate(self, apdu: bytes) -> bytes:
        data, challenge = _data(apdu), self._moment.challenge
        self._moment.challenge = b""
        if len(data) != 16:
            return _sw(0x6700)
        if len(challenge) != 8 or data[8:] != challenge:
            return _sw(0x6984)
        if data[:8] != external_cryptogram(self._keys, self.city, self.atr[-8:], challenge):
            return _sw(0x6300)
        self._moment.key_proven = True
        return OK

    def _verify(self, apdu: bytes) -> bytes:
        refusal = self._check_pin(_data(apdu))
        if refusal:
            return refusal
        self._moment.pin_verified = True
        return OK

    def _change_pin(self, apdu: bytes) -> bytes:
        if apdu[2] != 0x01:
            return _sw(0x6982)  # RELOAD PIN needs the agency's MAC
        old, _, new = _data(apdu).partition(b"\xff")
        if not 2 <= len(new) <= 6:
            return _sw(0x6A80)
        refusal = self._check_pin(old)
        if refusal:
            return refusal
        self._pin, self.pin_state = new, "set"
        return OK

    def _check_pin(self, presented: bytes) -> bytes:
        """The refusal, or b"" for the right PIN."""
        if self.pin_state == "unset":
            return _sw(self._habits.unset_status)
        if self.tries_left <= 0:
            return _sw(0x6983)
        if not 2 <= len(presented) <= 6:
            return _sw(0x6700)
        if presented == self._pin:
            self.tries_left = self.tries_max
            return b""
        self.tries_left -= 1
        self._moment.pin_verified = False
        if self.tries_left == 0 and not self._habits.last_try_says_63c0:
            return _sw(0x6983)
        return _sw(0x63C0 + min(self.tries_left, 15))


_COMMANDS = {
    (0x00, 0xA4): "_select",
    (0x00, 0xB2): "_read_record",
    (0x00, 0xC0): "_get_response",
    (0x00, 0x84): "_get_challenge",
    (0x00, 0x88): "_internal_authenticate",
    (0x00, 0x82): "_external_authenticate",
    (0x00, 0x20): "_verify",
    (0x80, 0x5E): "_change_pin",
}


def _sw(status: int) -> bytes:
    return status.to_bytes(2, "big")


def _data(apdu: bytes) -> bytes:
    return apdu[5 : 5 + apdu[4]] if len(apdu) > 5 else b""


def _fci(name: bytes) -> bytes:
    body = b"\x84" + bytes([len(name)]) + name
    if name in (SSSE, DF04):
        body += bytes.fromhex("A50388011E")
    return b"\x6f" + bytes([len(body)]) + body


def _bcd(digits: str) -> bytes:
    return bytes.fromhex(digits + "F" * (len(digits) % 2))


def _forged(keys: Keys) -> Keys:
    """A counterfeiter has the layout right and the keys wrong."""
    return Keys(internal_authentication="00112233445566778899AABBCCDDEEFF", read_ssse=keys.read_ssse)
