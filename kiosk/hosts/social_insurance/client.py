"""Client of the agency's business system."""

from kiosk.domain.account import AccountOverview
from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.certificate import CertificateKind, SealedDocument
from kiosk.hosts.answers import understood
from kiosk.hosts.social_insurance import codec
from kiosk.ports import HostLink

HOST = "social_insurance"


class SocialInsuranceClient:
    """Implements ``ports.SocialInsurance``. Every verb raises ``HostRefused`` or ``OutcomeUnknown``."""

    def __init__(self, link: HostLink) -> None:
        self._link = link

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
