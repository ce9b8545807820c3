"""Client of the agency's business system."""

from datetime import date, datetime

from kiosk.domain.account import AccountOverview
from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.certificate import CertificateKind, SealedDocument
from kiosk.domain.contribution import ContributionKind, PayableContribution
from kiosk.domain.money import Fen
from kiosk.domain.statement import ContributionRow
from kiosk.hosts.answers import understood
from kiosk.hosts.social_insurance import codec, contributions
from kiosk.ports import HostLink

HOST = "social_insurance"


class SocialInsuranceClient:
    """Implements ``ports.SocialInsurance``. Every verb raises ``HostRefused`` or ``OutcomeUnknown``."""

    def __init__(self, link: HostLink, terminal_id: str = "") -> None:
        self._link = link
        self._terminal_id = terminal_id

    async def overview(self, card: CardIdentity, holder: Holder) -> AccountOverview:
        answer = await self._link.call("POST", codec.OVERVIEW_PATH, body=codec.overview_request(card, holder))
        return understood(HOST, lambda: codec.overview(answer.body))

    async def issue_certificate(
        self, card: CardIdentity, holder: Holder, kind: CertificateKind, key: str
    ) -> SealedDocument:
        """After ``OutcomeUnknown`` ask again with the same ``key``: it gives one certificate, not two."""
        body = codec.certificate_request(card, holder, kind)
        answer = await self._link.call("POST", codec.CERTIFICATES_PATH, body=body, key=key)
        path = understood(HOST, lambda: codec.document_path(answer.body))
        pdf = await self._link.fetch(path, bytes_max=codec.DOCUMENT_BYTES_MAX)
        return understood(HOST, lambda: codec.sealed_document(answer.body, kind, pdf))

    async def payable(self, card: CardIdentity, holder: Holder) -> tuple[PayableContribution, ...]:
        body = contributions.payable_request(card, holder)
        answer = await self._link.call("POST", contributions.PAYABLE_PATH, body=body)
        return understood(HOST, lambda: contributions.payable(answer.body))

    async def contribute(
        self, card: CardIdentity, kind: ContributionKind, year: int, amount_fen: Fen, received_at: datetime, key: str
    ) -> str:
        body = contributions.contribution_request(card, kind, year, amount_fen, received_at, self._terminal_id)
        answer = await self._link.call("POST", contributions.CONTRIBUTIONS_PATH, body=body, key=key)
        return understood(HOST, lambda: contributions.credited(answer.body))

    async def contributions_detail(self, days: tuple[date, date]) -> tuple[ContributionRow, ...]:
        """Implements ``ports.money.ContributionDetail``."""
        body = contributions.detail_request(days, self._terminal_id)
        answer = await self._link.call("POST", contributions.DETAIL_PATH, body=body)
        return understood(HOST, lambda: contributions.detail(answer.body, days))
