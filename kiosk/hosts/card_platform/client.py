"""Client of the card platform."""

from collections.abc import Mapping

from kiosk.domain.card import CardIdentity, CardState
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
