"""Requests and answers of the social insurance interface, ``docs/hosts/social_insurance.yaml``. No IO.

INVENTED: no public text describes a kiosk's side of an agency's business system; an adapter in front of a real one
translates. Contents follow the queries and certificates found in the field (docs/hosts/README.md).
"""

import hashlib
from datetime import date
from typing import Annotated, Any

import msgspec

from kiosk.domain.account import (
    AccountOverview,
    BenefitPayment,
    Contribution,
    Insurance,
    InsuranceState,
    InsuranceStatus,
    PersonalAccount,
)
from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.certificate import CertificateKind, SealedDocument
from kiosk.domain.money import Fen
from kiosk.hosts.shape import BadShape, Part, read

OVERVIEW_PATH = "/v1/overview"
CERTIFICATES_PATH = "/v1/certificates"
MONTHS_ASKED = 13  # what a rights record shows at least
DOCUMENT_BYTES_MAX = 4 * 1024 * 1024

_Fen = Annotated[int, msgspec.Meta(ge=-(10**16), le=10**16)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1200)]
_Word = Annotated[str, msgspec.Meta(max_length=80)]
_Month = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
_Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9-]{4,40}$")]  # goes into a path: nothing else may pass
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Address = Annotated[str, msgspec.Meta(pattern=r"^https://[!-~]+$", max_length=300)]
_Tail = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,4}$")]


class _Status(Part):
    insurance: _Word
    state: _Word
    since: date | None
    contributed_months: _Count


class _Account(Part):
    medical_fen: _Fen
    pension_fen: _Fen
    as_of: date


class _Contribution(Part):
    month: _Month
    insurance: _Word
    base_fen: _Fen
    personal_fen: _Fen
    employer_fen: _Fen
    arrived: bool


class _Benefit(Part):
    paid_on: date
    kind: _Word
    amount_fen: _Fen
    account_tail: _Tail


class _Overview(Part):
    insurances: Annotated[list[_Status], msgspec.Meta(max_length=20)]
    account: _Account
    contributions: Annotated[list[_Contribution], msgspec.Meta(max_length=1000)]
    benefits: Annotated[list[_Benefit], msgspec.Meta(max_length=1000)]


class _Issued(Part):
    number: _Number
    kind: _Word
    issued_on: date
    valid_until: date | None
    verify_at: _Address
    sha256: _Sha256


def overview_request(card: CardIdentity, holder: Holder) -> dict[str, Any]:
    """Body of ``POST /v1/overview``. Numbers travel in bodies only: paths end in logs."""
    return {**_who(card, holder), "months": MONTHS_ASKED}


def overview(body: Any) -> AccountOverview:
    """Answer of ``POST /v1/overview``.

    A state that we do not know is UNKNOWN; an insurance that is none of the five is left out. Newest first.

    Raises:
        BadShape: see ``shape.read``.
    """
    sent = read(body, _Overview)
    return AccountOverview(
        insurances=tuple(_status(one) for one in sent.insurances if _known(one.insurance)),
        account=PersonalAccount(Fen(sent.account.medical_fen), Fen(sent.account.pension_fen), sent.account.as_of),
        contributions=tuple(
            sorted(
                (_contribution(one) for one in sent.contributions if _known(one.insurance)),
                key=lambda one: one.month,
                reverse=True,
            )
        ),
        benefits=tuple(
            BenefitPayment(one.paid_on, one.kind, Fen(one.amount_fen), one.account_tail)
            for one in sorted(sent.benefits, key=lambda one: one.paid_on, reverse=True)
        ),
    )


def certificate_request(card: CardIdentity, holder: Holder, kind: CertificateKind) -> dict[str, Any]:
    """Body of ``POST /v1/certificates``."""
    return {**_who(card, holder), "kind": kind.value}


def document_path(body: Any) -> str:
    """Where the document is, from the answer of ``POST /v1/certificates``. Raises BadShape."""
    return f"{CERTIFICATES_PATH}/{read(body, _Issued).number}/document"


def sealed_document(body: Any, kind: CertificateKind, pdf: bytes) -> SealedDocument:
    """Answer of ``POST /v1/certificates`` joined with the fetched bytes.

    Raises:
        BadShape: another kind than asked for, or a document whose SHA-256 is not the one announced.
    """
    issued = read(body, _Issued)
    if issued.kind != kind.value:
        raise BadShape("another kind of certificate")
    if hashlib.sha256(pdf).hexdigest() != issued.sha256:
        raise BadShape("another document than announced")
    return SealedDocument(
        kind, issued.number, issued.issued_on, issued.valid_until, issued.verify_at, pdf, issued.sha256
    )


def _who(card: CardIdentity, holder: Holder) -> dict[str, Any]:
    return {
        "card_number": card.card_number,
        "identification_code": card.identification_code.hex(),
        "social_security_number": holder.social_security_number,
    }


def _known(insurance: str) -> bool:
    return insurance in {one.value for one in Insurance}


def _status(one: _Status) -> InsuranceStatus:
    states = {state.value: state for state in InsuranceState}
    state = states.get(one.state, InsuranceState.UNKNOWN)
    return InsuranceStatus(Insurance(one.insurance), state, one.since, one.contributed_months)


def _contribution(one: _Contribution) -> Contribution:
    return Contribution(
        one.month,
        Insurance(one.insurance),
        Fen(one.base_fen),
        Fen(one.personal_fen),
        Fen(one.employer_fen),
        one.arrived,
    )
