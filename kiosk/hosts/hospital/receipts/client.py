"""Client of whatever host keeps records of receipts: the hospital, the agency."""

from kiosk.domain.card import CardIdentity
from kiosk.domain.receipt import ReceiptRecord
from kiosk.hosts.answers import understood
from kiosk.hosts.hospital.codec import done
from kiosk.hosts.hospital.receipts import codec
from kiosk.ports import HostLink


class ReceiptRecordsClient:
    """``host``: as it is named in errors. Repeats safely by the key, as both documents promise."""

    def __init__(self, host: str, link: HostLink) -> None:
        self._host, self._link = host, link

    async def keep_record(self, card: CardIdentity, record: ReceiptRecord, key: str) -> None:
        """Raises HostRefused, OutcomeUnknown."""
        answer = await self._link.call("POST", codec.RECORDS_PATH, body=codec.keeping(card, record), key=key)
        understood(self._host, lambda: done(answer.body))
