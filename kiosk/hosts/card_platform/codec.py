"""Requests and answers of the card platform interface, ``docs/hosts/card_platform.yaml``. No IO.

INVENTED in form; in substance the card-management services and HSM steps that three vendors' systems share
(state codes, identification code and ATR for the HSM, notices that are idempotent by design).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from kiosk.domain.card import CardIdentity, CardState, PinChange
from kiosk.domain.entries import NoticeResult, Word
from kiosk.domain.loss import LossReport, LostCard
from kiosk.hosts.shape import BadShape, Part, read

STATE_PATH = "/v1/card-state"
INTERNAL_PATH = "/v1/hsm/internal-authentication"
EXTERNAL_PATH = "/v1/hsm/external-authentication"
PIN_CHANGES_PATH = "/v1/pin-changes"
LOSS_REPORTS_PATH = "/v1/loss-reports"
LOSS_WITHDRAWALS_PATH = "/v1/loss-withdrawals"
PIN_CHANGE_BATCHES_PATH = "/v1/pin-change-batches"

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


class _Result(Part):
    key: Annotated[str, msgspec.Meta(max_length=64)]
    result: Word
    code: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{0,64}$")] = ""
    retry_after_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0


class _Results(Part):
    results: Annotated[list[_Result], msgspec.Meta(max_length=50)]


class _LossReported(Part):
    since: datetime
    ends_on: date | None
    covers_bank: bool


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


def loss_request(lost: LostCard, at: str) -> dict[str, Any]:
    """Body of ``POST /v1/loss-reports``; ``at`` is an ISO 8601 moment with its zone."""
    if lost.card_number:
        return {"card_number": lost.card_number, "reported_at": at}
    return {"personal_number": lost.personal_number, "reported_at": at}


def loss_reported(body: Any) -> LossReport:
    """Answer of ``POST /v1/loss-reports``. Raises BadShape."""
    told = read(body, _LossReported)
    if told.since.tzinfo is None:
        raise BadShape("a moment without its zone")
    return LossReport(told.since, told.ends_on, told.covers_bank)


def withdrawal_request(card: CardIdentity) -> dict[str, Any]:
    """Body of ``POST /v1/loss-withdrawals``."""
    return state_request(card)


def noticed(status: int) -> None:
    """A notice is done when the platform says so with 200, 201 or 204. Raises BadShape."""
    if status not in (200, 201, 204):
        raise BadShape("the notice is not booked")


def pin_changes_request(changes: Sequence[PinChange]) -> dict[str, Any]:
    """Body of ``POST /v1/pin-change-batches``; at most fifty."""
    return {"items": [{"key": one.key, **pin_change_request(one.card_number, one.at)} for one in changes]}


def pin_change_results(body: Any, keys: Sequence[str]) -> list[NoticeResult]:
    """Answer of ``POST /v1/pin-change-batches``. Raises BadShape: also where it is not one result for each key."""
    results = read(body, _Results).results
    if sorted(one.key for one in results) != sorted(keys):
        raise BadShape("not one result for each key")
    return [NoticeResult(one.key, one.result, one.code or "refused", one.retry_after_s) for one in results]


def _diversified(card: CardIdentity) -> dict[str, Any]:
    return {"identification_code": card.identification_code.hex(), "random_seed": card.random_seed.hex()}
