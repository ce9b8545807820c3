"""The sandbox bank: acquirer and issuer in one plain object. ``answer`` takes a frame's body, gives a frame or None.

It checks what a real one checks: MAC, batch, trace number, PIN block, cryptogram, counter, balance, limit. A question
is booked before it is answered, so that a lost answer leaves it booked. A 0400 that comes before its 0200 keeps it out.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simulators.hosts import bank_vault as vault
from simulators.hosts.bank_books import BankBooks, BookedAct
from simulators.hosts.bank_frames import HEAD_BYTES, BadMessage, Fields, frame, pack, tlv_of, unpack
from simulators.hosts.medical_insurance import CHINA
from simulators.hosts.weather import Weather
from simulators.worlds.world import BankAccount, World

NAME = "bank"
TERMINAL, MERCHANT = "00000001", "999000000000001"
_ECHOED = (2, 3, 4, 11, 14, 25, 41, 42, 49)
_ODA_FAILED = 0x48  # SDA or DDA, in the first byte of the TVR


class Declined(Exception):
    """With a response code; ``account`` when the card itself was genuine and can be answered."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class _Question:
    mti: str
    fields: Fields
    chip: dict[str, bytes]

    @property
    def place(self) -> tuple[str, str, str]:
        """Terminal, batch, trace."""
        return self.fields[41], self.fields.get(60, "")[2:8], self.fields[11]

    @property
    def amount_fen(self) -> int:
        return int(self.fields.get(4, "0"))

    @property
    def original(self) -> tuple[str, str, str]:
        told = self.fields.get(61, "")
        return self.fields[41], told[:6], told[6:12]


class BankHost:
    """``clock`` gives local time; ``random`` makes working keys. ``directory`` holds ``bank.sqlite``."""

    name = NAME

    def __init__(
        self,
        world: World,
        directory: Path,
        weather: Weather,
        clock: Callable[[], datetime] | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.weather = weather
        self.books = BankBooks(directory, world.bank_accounts)
        self._accounts = {account.pan: account for account in world.bank_accounts}
        self._master = bytes.fromhex(world.keys.pad_master)
        self._module = vault.IssuerModule(world.keys)
        self._clock = clock or (lambda: datetime.now().astimezone())
        self._random = random
        self._one_at_a_time = threading.Lock()
        self.batch = self.books.value("batch", "000001")
        self.heard: list[str] = []  # MTI and processing code of every message, for tests and the front panel

    def close(self) -> None:
        self.books.close()

    def forget_keys(self) -> None:
        """As after a change at the bank: the terminal's working keys are void."""
        self.books.keep("mac_key", self._random(8).hex())

    def next_batch(self) -> None:
        self.batch = f"{int(self.batch) % 999_999 + 1:06d}"
        self.books.keep("batch", self.batch)

    def answer(self, body: bytes) -> bytes | None:
        """Never raises for anything that a terminal may send; None: silence."""
        hit = self.weather.hits(NAME)
        if hit and self.weather.drop_question:
            return None
        with self._one_at_a_time:
            try:
                mti, fields = unpack(body[HEAD_BYTES:])
                question = _Question(mti, fields, {})
                reply = self._booked(question, body[HEAD_BYTES:])
            except (BadMessage, KeyError, ValueError):
                return None  # a front end drops what it cannot read
        if self.weather.bank_silent or (hit and self.weather.drop_answer):
            return None
        if hit and self.weather.garbage:
            return b"\x00\x20" + bytes(range(32))
        return frame(body[:HEAD_BYTES], reply)

    def _booked(self, question: _Question, message: bytes) -> bytes:
        """Decide, book and compose in one SQL act."""
        self.heard = [*self.heard[-99:], f"{question.mti} {question.fields.get(3, '')}".strip()]
        self.books.sql.execute("BEGIN IMMEDIATE")
        try:
            reply = self._sign_on(question) if question.mti == "0800" else self._act(question, message)
            self.books.sql.execute("COMMIT")
        except BaseException:
            self.books.sql.execute("ROLLBACK")
            raise
        return reply

    # --- sign-on ------------------------------------------------------------------------------------------------------

    def _sign_on(self, question: _Question) -> bytes:
        form = question.fields.get(60, "")[8:11]
        pin_key, mac_key, keys = vault.fresh_keys(self._master, form, self._random)
        self.books.keep("pin_key", pin_key.hex())
        self.books.keep("mac_key", mac_key.hex())
        code = "00" if question.fields.get(41) == TERMINAL else "97"
        fields = self._echo(question) | {39: code, 60: f"00{self.batch}{form}"}
        if code == "00":
            fields[62] = keys.hex()
        return pack("0810", fields)

    # --- everything else: with a MAC ----------------------------------------------------------------------------------

    def _act(self, question: _Question, message: bytes) -> bytes:
        extra: Fields = {}
        try:
            self._check(question, message)
            extra = self._decide(question)
            code = extra.pop(39, "00")
        except Declined as declined:
            code = declined.code
        except vault.PinFormatWrong:
            code = "99"
        fields = self._echo(question) | {39: code, 60: question.fields.get(60, "")} | extra
        account = self._accounts.get(question.fields.get(2, ""))
        if question.chip and account and code not in ("A0", "77", "99", "63"):
            fields[55] = self._module.answer(account, question.chip, code).hex()
        return self._sealed(f"{int(question.mti) + 10:04d}", fields)

    def _sealed(self, mti: str, fields: Fields) -> bytes:
        whole = pack(mti, fields | {64: "00" * 8})
        key = bytes.fromhex(self.books.value("mac_key", "00" * 8))
        mac = vault.mac(key, whole[:-8])
        if self.weather.hits(NAME) and self.weather.bad_mac:
            mac = bytes(byte ^ 1 for byte in mac)
        return whole[:-8] + mac

    def _echo(self, question: _Question) -> Fields:
        now = self._clock()
        echoed = {number: question.fields[number] for number in _ECHOED if number in question.fields}
        return echoed | {12: now.strftime("%H%M%S"), 13: now.strftime("%m%d"), 37: self._reference()}

    def _reference(self) -> str:
        return f"{int(self.books.value('reference', '0')):012d}"

    def _check(self, question: _Question, message: bytes) -> None:
        fields = question.fields
        key = bytes.fromhex(self.books.value("mac_key", "00" * 8))
        if bytes.fromhex(fields.get(64, "")) != vault.mac(key, message[:-8]):
            raise Declined("A0")
        if (fields[41], fields[42]) != (TERMINAL, MERCHANT):
            raise Declined("97")
        if self.weather.hits(NAME) and self.weather.refuse_code not in ("", "10"):
            raise Declined(self.weather.refuse_code)
        if question.mti != "0400" and question.place[1] != self.batch:
            raise Declined("77")
        self.books.keep("reference", str(int(self.books.value("reference", "0")) + 1))

    def _decide(self, question: _Question) -> Fields:
        kind = (question.mti, question.fields.get(3, ""))
        if question.mti == "0400":
            return self._reverse(question)
        if question.mti == "0620":
            return self._take_notice(question)
        if kind == ("0200", "310000"):
            return self._balance(question)
        if kind == ("0200", "000000"):
            return self._purchase(question)
        if kind in (("0200", "200000"), ("0220", "200000")):
            return self._give_back(question)
        raise Declined("40")

    def _account(self, question: _Question, *, chip: bool) -> BankAccount:
        """Judge card and holder. Raises Declined."""
        account = self._accounts.get(question.fields.get(2, ""))
        if account is None:
            raise Declined("14")
        if chip:
            self._judge_chip(question, account)
        if account.expires < self._clock().strftime("%y%m"):
            raise Declined("54")
        if 52 in question.fields:
            self._judge_pin(question, account)
        elif question.fields.get(22) == "051":
            raise Declined("99")
        return account

    def _judge_chip(self, question: _Question, account: BankAccount) -> None:
        chip = tlv_of(bytes.fromhex(question.fields.get(55, "")))
        agrees = chip.get("9F02") == bytes.fromhex(f"{question.amount_fen:012d}")
        if not agrees or not self._module.genuine(account, chip):
            raise Declined("63")
        if not self.books.take_atc(account.pan, int.from_bytes(chip["9F36"], "big")):
            raise Declined("63")
        question.chip = chip
        if chip["95"][0] & _ODA_FAILED:
            raise Declined("59")

    def _judge_pin(self, question: _Question, account: BankAccount) -> None:
        tries = self.books.pin_tries(account.pan)
        if not tries:
            raise Declined("75")
        key = bytes.fromhex(self.books.value("pin_key"))
        if vault.clear_pin(key, bytes.fromhex(question.fields[52]), account.pan) != account.pin:
            self.books.set_pin_tries(account.pan, tries - 1)
            raise Declined("55")
        self.books.set_pin_tries(account.pan, account.pin_tries)

    def _balance(self, question: _Question) -> Fields:
        account = self._account(question, chip=True)
        return {54: f"0002156C{self.books.balance_fen(account.pan):012d}"}

    def _purchase(self, question: _Question) -> Fields:
        if self.books.act(*question.place):
            raise Declined("94")
        account = self._account(question, chip=True)
        amount_fen, code = question.amount_fen, "00"
        if self.weather.hits(NAME) and self.weather.refuse_code == "10":
            amount_fen, code = amount_fen // 2, "10"
        if self.books.balance_fen(account.pan) < amount_fen:
            raise Declined("51")
        day = self._day()
        if self.books.spent_fen(account.pan, day) + amount_fen > account.daily_limit_fen:
            raise Declined("61")
        self.books.move(account.pan, amount_fen, day)
        authorization = f"{int(self._reference()) % 1_000_000:06d}"
        self.books.add(
            BookedAct(
                *question.place, "purchase", account.pan, amount_fen, self._reference(), authorization, "booked", day
            )
        )
        return {4: f"{amount_fen:012d}", 37: self._reference(), 38: authorization, 39: code}

    def _give_back(self, question: _Question) -> Fields:
        """Void within the batch, or refund: of a purchase that stands, whole, by its reference."""
        if self.books.act(*question.place):
            raise Declined("94")
        kind = "void" if question.mti == "0200" else "refund"
        account = self._account(question, chip=False)
        original = self.books.act(*question.original)
        if original is None or original.reference != question.fields.get(37) or original.pan != account.pan:
            raise Declined("25")
        if original.state != "booked" or (kind == "void" and original.batch != self.batch):
            raise Declined("12")
        if original.amount_fen != question.amount_fen:
            raise Declined("64")
        day = self._day()
        self.books.move(account.pan, -original.amount_fen, day)
        self.books.set_state(original, "voided" if kind == "void" else "refunded")
        act = BookedAct(
            *question.place, kind, account.pan, original.amount_fen, self._reference(), "", "booked", day,
            original.batch, original.trace,
        )  # fmt: skip
        self.books.add(act)
        return {37: self._reference()}

    def _reverse(self, question: _Question) -> Fields:
        """The same answer however often it is asked; of what never came: 25, and it is kept out from then on."""
        act = self.books.act(*question.original)
        day = self._day()
        if act is None:
            terminal, batch, trace = question.original
            self.books.add(BookedAct(terminal, batch, trace, "purchase", "", 0, "", "", "never", day))
            raise Declined("25")
        if act.state == "never":
            raise Declined("25")
        if act.state == "booked":
            self._undo(act, day)
        elif act.state != "reversed":
            raise Declined("12")
        return {}

    def _undo(self, act: BookedAct, day: str) -> None:
        if act.kind == "void":
            original = self.books.act(act.terminal, act.original_batch, act.original_trace)
            assert original
            self.books.set_state(original, "booked")
        self.books.move(act.pan, act.amount_fen if act.kind == "void" else -act.amount_fen, day)
        self.books.set_state(act, "reversed")

    def _take_notice(self, question: _Question) -> Fields:
        chip = tlv_of(bytes.fromhex(question.fields.get(55, "")))
        self.books.note(question.fields[11], question.original[2], chip.get("DF31", b"").hex())
        return {}

    def _day(self) -> str:
        return self._clock().astimezone(CHINA).strftime("%Y-%m-%d")  # as every statement counts days
