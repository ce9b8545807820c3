"""Client of the card platform."""

from collections.abc import Mapping, Sequence

from kiosk.domain.card import CardIdentity, CardState, PinChange
from kiosk.domain.entries import NoticeResult
from kiosk.domain.loss import LossReport, LostCard
from kiosk.hosts.answers import understood
from kiosk.hosts.card_platform import codec
from kiosk.ports import HostLink

HOST = "card_platform"


class CardPlatformClient:
    """Implements ``ports.CardPlatform``. ``states`` is the region's map of state codes."""

    def __init__(self, link: HostLink, states: Mapping[str, CardState] = codec.DEFAULT_STATES) -> None:
        self._link = link
        self._states = states

    async def card_state(self, card: CardIdentity) -> CardState:
        answer = await self._link.call("POST", codec.STATE_PATH, body=codec.state_request(card))
        return understood(HOST, lambda: codec.card_state(answer.body, self._states))

    async def internal_authentication_ok(self, card: CardIdentity, challenge: bytes, response: bytes) -> bool:
        body = codec.internal_request(card, challenge, response)
        answer = await self._link.call("POST", codec.INTERNAL_PATH, body=body)
        return understood(HOST, lambda: codec.genuine(answer.body))

    async def external_authentication(self, card: CardIdentity, card_random: bytes) -> bytes:
        answer = await self._link.call("POST", codec.EXTERNAL_PATH, body=codec.external_request(card, card_random))
        return understood(HOST, lambda: codec.cryptogram(answer.body))

    async def notice_pin_changed(self, card_number: str, at: str, key: str) -> None:
        body = codec.pin_change_request(card_number, at)
        answer = await self._link.call("POST", codec.PIN_CHANGES_PATH, body=body, key=key)
        understood(HOST, lambda: codec.noticed(answer.status))

    async def notice_pins_changed(self, changes: Sequence[PinChange]) -> list[NoticeResult]:
        answer = await self._link.call("POST", codec.PIN_CHANGE_BATCHES_PATH, body=codec.pin_changes_request(changes))
        return understood(HOST, lambda: codec.pin_change_results(answer.body, [change.key for change in changes]))

    async def report_loss(self, lost: LostCard, at: str, key: str) -> LossReport:
        body = codec.loss_request(lost, at)
        answer = await self._link.call("POST", codec.LOSS_REPORTS_PATH, body=body, key=key)
        return understood(HOST, lambda: codec.loss_reported(answer.body))

    async def withdraw_loss(self, card: CardIdentity, key: str) -> None:
        body = codec.withdrawal_request(card)
        answer = await self._link.call("POST", codec.LOSS_WITHDRAWALS_PATH, body=body, key=key)
        understood(HOST, lambda: codec.noticed(answer.status))
