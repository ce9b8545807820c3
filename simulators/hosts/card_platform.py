"""Sandbox of the province's card platform and its HSM. ``docs/hosts/card_platform.yaml``. TEST keys only."""

from datetime import datetime
from typing import Annotated

import msgspec

from simulators.cards.chip import build_number
from simulators.cards.keys import external_cryptogram, internal_response
from simulators.hosts import loss_reports
from simulators.hosts.loss_reports import LossBook
from simulators.hosts.sandbox import Ask, Part, Refusal, Reply, Route, Sandbox, json_reply, question, required_key
from simulators.hosts.sandbox import route as to
from simulators.worlds.world import Card

# Shandong's kzt; F for a sealed card is INVENTED, and "unknown" makes a code that no map has.
REGIONAL_CODES = {
    "not_enabled": "A",
    "normal": "1",
    "lost": "2",
    "temporarily_lost": "B",
    "cancelled": "4",
    "sealed": "F",
    "unknown": "Z",
}

_CardNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{9}$")]
_PersonalNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{15,18}$")]
_IdentificationCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
_EightBytes = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]
_SixteenBytes = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]


class _State(Part):
    card_number: _CardNumber
    identification_code: _IdentificationCode


class _Internal(Part):
    identification_code: _IdentificationCode
    random_seed: _EightBytes
    challenge: _SixteenBytes
    response: _SixteenBytes


class _External(Part):
    identification_code: _IdentificationCode
    random_seed: _EightBytes
    card_random: _EightBytes


class _PinChange(Part):
    card_number: _CardNumber
    changed_at: datetime


class _Item(_PinChange):
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{4,64}$")]


class _Batch(Part):
    items: Annotated[list[_Item], msgspec.Meta(min_length=1, max_length=50)]


class _LossReport(Part):
    reported_at: datetime
    card_number: _CardNumber | None = None
    personal_number: _PersonalNumber | None = None


class _Withdrawal(Part):
    card_number: _CardNumber
    identification_code: _IdentificationCode


class CardPlatformSandbox(Sandbox):
    name = "card_platform"
    schema = (
        "CREATE TABLE IF NOT EXISTS pin_changes (key TEXT PRIMARY KEY, card_number TEXT, changed_at TEXT);"
        + loss_reports.SCHEMA
    )

    @property
    def losses(self) -> LossBook:
        return LossBook(self.books)

    def routes(self) -> list[Route]:
        return [
            to("POST", "/v1/card-state", self._card_state),
            to("POST", "/v1/hsm/internal-authentication", self._internal),
            to("POST", "/v1/hsm/external-authentication", self._external),
            to("POST", "/v1/pin-changes", self._pin_changed),
            to("POST", "/v1/loss-reports", self._loss_reported),
            to("POST", "/v1/loss-withdrawals", self._loss_withdrawn),
            to("POST", "/v1/pin-change-batches", self._pins_changed),
        ]

    def pin_changes(self) -> list[tuple[str, str]]:
        """Every notice booked, oldest first: key, card number."""
        return self.books.execute("SELECT key, card_number FROM pin_changes ORDER BY rowid").fetchall()

    def _card_state(self, ask: Ask) -> Reply:
        card = self._card(question(ask, _State).card_number)
        return json_reply({"state_code": REGIONAL_CODES[self.state_of(card)]})

    def state_of(self, card: Card) -> str:
        """The world's, with what was reported and withdrawn here since."""
        number, state = build_number(card), card.platform_state
        if state == "temporarily_lost" and self.losses.was_withdrawn(number):
            state = "normal"
        return "temporarily_lost" if state == "normal" and self.losses.in_force(number, self.clock()) else state

    def _internal(self, ask: Ask) -> Reply:
        asked = question(ask, _Internal)
        seed, challenge = bytes.fromhex(asked.random_seed), bytes.fromhex(asked.challenge)
        expected = internal_response(self.world.keys, asked.identification_code[:6], seed, challenge)
        return json_reply({"genuine": expected.hex() == asked.response})

    def _external(self, ask: Ask) -> Reply:
        asked = question(ask, _External)
        seed, card_random = bytes.fromhex(asked.random_seed), bytes.fromhex(asked.card_random)
        cryptogram = external_cryptogram(self.world.keys, asked.identification_code[:6], seed, card_random)
        return json_reply({"cryptogram": cryptogram.hex()})

    def _pin_changed(self, ask: Ask) -> Reply:
        new = self._book(required_key(ask), question(ask, _PinChange))
        # "01 was already done" is a success in the field as well
        return json_reply({"already_done": not new}, 201 if new else 200)

    def _pins_changed(self, ask: Ask) -> Reply:
        """In the order given; behind an item that is not done, later ones of its card wait."""
        results: list[dict[str, str]] = []
        waiting: set[str] = set()
        self.books.execute("BEGIN")
        for item in question(ask, _Batch).items:
            result = {"key": item.key, "result": "later"}
            if item.card_number not in waiting:
                result |= self._item(item)
            if result["result"] != "done":
                waiting.add(item.card_number)
            results.append(result)
        self.books.execute("COMMIT")
        return json_reply({"results": results})

    def _item(self, item: _Item) -> dict[str, str]:
        try:
            self._book(item.key, item)
        except Refusal as refusal:
            return {"result": "refused", "code": refusal.code}
        return {"result": "done"}

    def _book(self, key: str, notice: _PinChange) -> bool:
        """Whether it is new. Raises Refusal."""
        card = self._card(notice.card_number)
        booked = self.books.execute(
            "INSERT OR IGNORE INTO pin_changes VALUES (?, ?, ?)",
            (key, build_number(card), notice.changed_at.isoformat()),
        )
        return booked.rowcount == 1

    def _loss_reported(self, ask: Ask) -> Reply:
        told = question(ask, _LossReport)
        if (told.card_number is None) == (told.personal_number is None):
            raise Refusal(400, "bad_request", "请求有误")
        cards = [self._card(told.card_number)] if told.card_number else self._cards_of(told.personal_number or "")
        if all(self.state_of(card) in ("cancelled", "not_enabled") for card in cards):
            raise Refusal(409, "nothing_to_report", "该卡不能使用，无需挂失")
        report = self.losses.report(required_key(ask), (build_number(card) for card in cards), self.clock())
        answer = {
            "since": report.since.isoformat(),
            "ends_on": report.ends_on.isoformat(),
            "covers_bank": self.world.loss_report_covers_bank,
            "already_done": report.already_done,
        }
        return json_reply(answer, 200 if report.already_done else 201)

    def _loss_withdrawn(self, ask: Ask) -> Reply:
        card = self._card(question(ask, _Withdrawal).card_number)
        done = self.losses.withdraw(required_key(ask), build_number(card), self.state_of(card), self.clock())
        return json_reply({"already_done": done}, 200 if done else 201)

    def _cards_of(self, personal_number: str) -> list[Card]:
        holders = {one.handle for one in self.world.residents if one.number and one.number == personal_number}
        found = [card for card in self.world.cards if card.resident in holders]
        if not found:
            raise Refusal(404, "no_such_card", "未查到该卡")
        return found

    def _card(self, number: str) -> Card:
        for card in self.world.cards:
            if build_number(card) == number:
                return card
        raise Refusal(404, "no_such_card", "未查到该卡")
