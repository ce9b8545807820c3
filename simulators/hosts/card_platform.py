"""Sandbox of the province's card platform and its HSM. ``docs/hosts/card_platform.yaml``. TEST keys only."""

from datetime import datetime
from typing import Annotated

import msgspec

from simulators.cards.chip import build_number
from simulators.cards.keys import external_cryptogram, internal_response
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


class CardPlatformSandbox(Sandbox):
    name = "card_platform"
    schema = """
        CREATE TABLE IF NOT EXISTS pin_changes (key TEXT PRIMARY KEY, card_number TEXT, changed_at TEXT)
    """

    def routes(self) -> list[Route]:
        return [
            to("POST", "/v1/card-state", self._card_state),
            to("POST", "/v1/hsm/internal-authentication", self._internal),
            to("POST", "/v1/hsm/external-authentication", self._external),
            to("POST", "/v1/pin-changes", self._pin_changed),
        ]

    def pin_changes(self) -> list[tuple[str, str]]:
        """Every notice booked, oldest first: key, card number."""
        return self.books.execute("SELECT key, card_number FROM pin_changes ORDER BY rowid").fetchall()

    def _card_state(self, ask: Ask) -> Reply:
        card = self._card(question(ask, _State).card_number)
        return json_reply({"state_code": REGIONAL_CODES[card.platform_state]})

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
        notice = question(ask, _PinChange)
        card = self._card(notice.card_number)
        booked = self.books.execute(
            "INSERT OR IGNORE INTO pin_changes VALUES (?, ?, ?)",
            (required_key(ask), build_number(card), notice.changed_at.isoformat()),
        )
        # "01 was already done" is a success in the field as well
        return json_reply({"already_done": booked.rowcount == 0}, 200 if booked.rowcount == 0 else 201)

    def _card(self, number: str) -> Card:
        for card in self.world.cards:
            if build_number(card) == number:
                return card
        raise Refusal(404, "no_such_card", "未查到该卡")
