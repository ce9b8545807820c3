"""What the glass shows an installer before the terminal serves anybody."""

from kiosk.bare import WORDS, page
from kiosk.ports import Question

KEY = "0123456789abcdef" * 4
STANDING = {
    "serial": "YKT-2026-000451",
    "fingerprint": KEY,
    "qr": f"https://fleet.example.gov.cn:8445/console/enrolment?serial=YKT-2026-000451&fingerprint={KEY}",
}


def pages() -> list[Question]:
    said = [page({**STANDING, "said": word}) for word in WORDS]
    return [page({}), *said, page({"said": "known"})]
