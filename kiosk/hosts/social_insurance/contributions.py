"""Requests and answers about contributions, ``docs/hosts/social_insurance.yaml``. No IO. INVENTED in form.

In substance the steps that agencies' payment interfaces share: what is payable, and paying under an own number.
"""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.contribution import ContributionKind, PayableContribution
from kiosk.domain.money import Fen
from kiosk.domain.statement import ContributionRow
from kiosk.hosts.shape import BadShape, Part, read

PAYABLE_PATH = "/v1/contributions/payable"
CONTRIBUTIONS_PATH = "/v1/contributions"
DETAIL_PATH = "/v1/contributions/detail"

_Fen = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
_Year = Annotated[int, msgspec.Meta(ge=2000, le=2200)]
_Word = Annotated[str, msgspec.Meta(max_length=40)]


class _Payable(Part):
    kind: _Word
    year: _Year
    grades_fen: Annotated[list[_Fen], msgspec.Meta(min_length=1, max_length=20)]
    paid: bool


class _Payables(Part):
    payable: Annotated[list[_Payable], msgspec.Meta(max_length=40)]


class _Row(Part):
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{4,64}$")]
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    amount_fen: _Fen
    booked_on: date


class _Detail(Part):
    first_day: date
    last_day: date
    rows: Annotated[list[_Row], msgspec.Meta(max_length=20_000)]


class _Credited(Part):
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


def payable_request(card: CardIdentity, holder: Holder) -> dict[str, Any]:
    """Body of ``POST /v1/contributions/payable``."""
    return {
        "card_number": card.card_number,
        "identification_code": card.identification_code.hex(),
        "social_security_number": holder.social_security_number,
    }


def payable(body: Any) -> tuple[PayableContribution, ...]:
    """Answer of it. A kind that we do not know is left out: its text would be wrong. Raises BadShape."""
    kinds = {kind.value: kind for kind in ContributionKind}
    return tuple(
        PayableContribution(kinds[one.kind], one.year, tuple(Fen(grade) for grade in one.grades_fen), one.paid)
        for one in read(body, _Payables).payable
        if one.kind in kinds
    )


def contribution_request(
    card: CardIdentity, kind: ContributionKind, year: int, amount_fen: Fen, received_at: datetime, terminal_id: str
) -> dict[str, Any]:
    """Body of ``POST /v1/contributions``."""
    return {
        "card_number": card.card_number,
        "identification_code": card.identification_code.hex(),
        "kind": kind.value,
        "year": year,
        "amount_fen": amount_fen,
        "received_at": received_at.isoformat(timespec="seconds"),
        "terminal_id": terminal_id,
    }


def credited(body: Any) -> str:
    """The agency's number of the contribution. Raises BadShape."""
    return read(body, _Credited).number


def detail_request(days: tuple[date, date], terminal_id: str) -> dict[str, Any]:
    """Body of ``POST /v1/contributions/detail``."""
    return {"terminal_id": terminal_id, "first_day": days[0].isoformat(), "last_day": days[1].isoformat()}


def detail(body: Any, days: tuple[date, date]) -> tuple[ContributionRow, ...]:
    """Answer of it. Raises BadShape: also of other days than were asked for."""
    told = read(body, _Detail)
    if (told.first_day, told.last_day) != days:
        raise BadShape("the detail of other days")
    return tuple(ContributionRow(row.key, row.number, Fen(row.amount_fen), row.booked_on) for row in told.rows)
