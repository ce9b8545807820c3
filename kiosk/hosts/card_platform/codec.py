"""Requests and answers of the card platform interface, ``docs/hosts/card_platform.yaml``. No IO.

INVENTED in form; in substance the card-management services and HSM steps that three vendors' systems share
(state codes, identification code and ATR for the HSM, notices that are idempotent by design).
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from kiosk.domain.card import CardIdentity, CardState
from kiosk.hosts.shape import BadShape, Part, read

STATE_PATH = "/v1/card-state"
INTERNAL_PATH = "/v1/hsm/internal-authentication"
EXTERNAL_PATH = "/v1/hsm/external-authentication"
PIN_CHANGES_PATH = "/v1/pin-changes"

# Regional data. Shandong's kzt, and F for a sealed card, for which that list has no code (F is INVENTED).
DEFAULT_STATES: Mapping[str, CardState] = {
    "0": CardState.NOT_ENABLED,
    "A": CardState.NOT_ENABLED,
    "1": CardState.NORMAL,
    "2": CardState.LOST,
    "B": CardState.TEMPORARILY_LOST,
    "3": CardState.CANCELLED,
    "4": CardState.CANCELLED,
    "F": CardState.SEALED,
}

_Code = Annotated[str, msgspec.Meta(max_length=8)]
_Cryptogram = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]


class _State(Part):
    state_code: _Code


class _Genuine(Part):
    genuine: bool


class _External(Part):
    cryptogram: _Cryptogram


def states_from_settings(regional: Mapping[str, str]) -> Mapping[str, CardState]:
    """A region's own map, code -> value of ``CardState``; an empty one stands for the default.

    Raises:
        ValueError: a value that is no ``CardState``; a mistake in the settings.
    """
    return {code: CardState(state) for code, state in regional.items()} or DEFAULT_STATES


def state_request(card: CardIdentity) -> dict[str, Any]:
    """Body of ``POST /v1/card-state``."""
    return {"card_number": card.card_number, "identification_code": card.identification_code.hex()}


def card_state(body: Any, states: Mapping[str, CardState]) -> CardState:
    """Answer of ``POST /v1/card-state``. A code outside the region's map is UNKNOWN. Raises BadShape."""
    return states.get(read(body, _State).state_code, CardState.UNKNOWN)


def internal_request(card: CardIdentity, challenge: bytes, response: bytes) -> dict[str, Any]:
    """Body of ``POST /v1/hsm/internal-authentication``: 16 bytes each, as hex."""
    return {**_diversified(card), "challenge": challenge.hex(), "response": response.hex()}


def genuine(body: Any) -> bool:
    """Answer of ``POST /v1/hsm/internal-authentication``. Raises BadShape."""
    return read(body, _Genuine).genuine


def external_request(card: CardIdentity, card_random: bytes) -> dict[str, Any]:
    """Body of ``POST /v1/hsm/external-authentication``: the card's 8 random bytes, as hex."""
    return {**_diversified(card), "card_random": card_random.hex()}


def cryptogram(body: Any) -> bytes:
    """Answer of ``POST /v1/hsm/external-authentication``: 8 bytes. Raises BadShape."""
    return bytes.fromhex(read(body, _External).cryptogram)


def pin_change_request(card_number: str, at: str) -> dict[str, Any]:
    """Body of ``POST /v1/pin-changes``; ``at`` is an ISO 8601 moment with its zone."""
    return {"card_number": card_number, "changed_at": at}


def noticed(status: int) -> None:
    """A notice is done when the platform says so with 200, 201 or 204. Raises BadShape."""
    if status not in (200, 201, 204):
        raise BadShape("the notice is not booked")


def _diversified(card: CardIdentity) -> dict[str, Any]:
    return {"identification_code": card.identification_code.hex(), "random_seed": card.random_seed.hex()}
