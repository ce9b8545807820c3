"""Hosts as services see them. Every call ends done, refused (``HostRefused``) or unknown (``OutcomeUnknown``).

A call that only reads raises ``OutcomeUnknown`` too; for the caller that simply means "no answer".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from kiosk.domain.account import AccountOverview
from kiosk.domain.card import CardIdentity, CardState, Holder, PinChange
from kiosk.domain.certificate import CertificateKind, SealedDocument, SealExpectation, SealFinding
from kiosk.domain.contribution import ContributionKind, PayableContribution
from kiosk.domain.entries import NoticeResult
from kiosk.domain.loss import LossReport, LostCard
from kiosk.domain.money import Fen
from kiosk.domain.statement import ContributionRow


@dataclass(frozen=True)
class HostAnswer:
    """A complete answer: HTTP status and decoded JSON body (decimal numbers as ``decimal.Decimal``)."""

    status: int
    body: Any


class HostLink(Protocol):
    """The one way out to a host over mutual TLS, with a total deadline."""

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HostAnswer:
        """``key`` is the Idempotency-Key of an act; never made anew for the same intent.

        A ``body`` of bytes is JSON already and goes out as it is: what was signed is what is sent. ``headers`` are
        those of a signing family.

        Raises:
            HostRefused: 4xx with the host's problem document.
            OutcomeUnknown: no complete answer in time, 5xx, or not JSON.
        """
        ...

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        """A binary document, streamed, refused past ``bytes_max``. Raises as ``call``."""
        ...


@dataclass(frozen=True)
class Part:
    """A piece of a document that begins at byte ``first`` of ``total_bytes`` (None: the host did not say).

    ``etag``: the strong one, "" without it. ``ended``: with this piece the document is complete.
    """

    content: bytes
    first: int
    total_bytes: int | None
    etag: str
    ended: bool


@dataclass(frozen=True)
class PlainAnswer:
    """A complete answer of any kind. ``retry_after_s``: 0 where the host did not say."""

    status: int
    content: bytes
    retry_after_s: float = 0.0


class PlainLink(Protocol):
    """The way out for what is no JSON, such as requests for certificates. The same link."""

    async def send(
        self, path: str, content: bytes, content_type: str, *, bytes_max: int, deadline_s: float | None = None
    ) -> PlainAnswer:
        """POST it. Raises HostRefused, OutcomeUnknown: as ``HostLink.call``."""
        ...


class DocumentLink(Protocol):
    """The way to documents too long for one question: images, bundles, big settings. The same link, asked piecewise."""

    async def fetch_part(
        self,
        path: str,
        *,
        first: int = 0,
        bytes_max: int,
        etag: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Part | None:
        """At most ``bytes_max`` bytes from ``first`` on; None: there is no such document (404, 410).

        ``etag``: of the pieces before; where the document changed meanwhile the answer begins at 0 again (RFC 9110,
        If-Range), as it does where the host knows no ranges.

        Raises:
            HostRefused, OutcomeUnknown: as ``HostLink.call``. Repeating is harmless.
        """
        ...


class SocialInsurance(Protocol):
    """The agency's business system."""

    async def overview(self, card: CardIdentity, holder: Holder) -> AccountOverview: ...

    async def issue_certificate(
        self, card: CardIdentity, holder: Holder, kind: CertificateKind, key: str
    ) -> SealedDocument:
        """Ask the back end to compose and seal. The same ``key`` returns the same certificate."""
        ...

    async def payable(self, card: CardIdentity, holder: Holder) -> tuple[PayableContribution, ...]:
        """What the holder may pay by themselves, years that are paid among them."""
        ...

    async def contribute(
        self, card: CardIdentity, kind: ContributionKind, year: int, amount_fen: Fen, received_at: datetime, key: str
    ) -> str:
        """Credit what was received; the agency's number. Idempotent by ``key`` for as long as the document says.

        Raises:
            HostRefused: surely not credited: ``already_paid``, ``year_closed``, ``amount_differs``, ``not_entitled``.
        """
        ...

    async def contributions_detail(self, days: tuple[date, date]) -> tuple[ContributionRow, ...]:
        """What it credited of this terminal's contributions, oldest first. ``days``: first and last, both counted in.

        Raises:
            HostRefused: ``not_reconciled_yet``, the last is not over.
        """
        ...


class CardPlatform(Protocol):
    """The province's card platform and the HSM behind it."""

    async def card_state(self, card: CardIdentity) -> CardState: ...

    async def internal_authentication_ok(self, card: CardIdentity, challenge: bytes, response: bytes) -> bool: ...

    async def external_authentication(self, card: CardIdentity, card_random: bytes) -> bytes: ...

    async def notice_pin_changed(self, card_number: str, at: str, key: str) -> None:
        """Tell the platform that the chip's PIN was changed. Idempotent by ``key``."""
        ...

    async def report_loss(self, lost: LostCard, at: str, key: str) -> LossReport:
        """A temporary report; ``at``: when the resident said so. A card that is reported already is a success, too."""
        ...

    async def withdraw_loss(self, card: CardIdentity, key: str) -> None:
        """Of a card that is in the slot again. Raises HostRefused "formal_loss": the counter's to lift."""
        ...

    async def notice_pins_changed(self, changes: Sequence[PinChange]) -> list[NoticeResult]:
        """Several at once, in order; a result for each key, once. Idempotent by each key."""
        ...


@dataclass(frozen=True)
class StaffAcknowledgement:
    minutes: int


class AgencyDuty(Protocol):
    """The agency's duty desk."""

    async def call_staff(self, place: str, screen: str, case_code: str, reason: str) -> StaffAcknowledgement:
        """Only an acknowledgement makes "staff have been called" true."""
        ...


class SealVerifier(Protocol):
    async def verify(self, pdf: bytes, expected: SealExpectation) -> SealFinding: ...
