"""What a certificate says, before anybody drew it."""

from dataclasses import dataclass
from datetime import date

from simulators.worlds.world import Resident

CONTENT_MARK = "INVENTED yikatong certificate 1"


@dataclass(frozen=True)
class Sheet:
    """What one certificate says."""

    kind: str
    number: str
    check_code: str
    resident: Resident
    issued_on: date
    valid_until: date | None
    verify_at: str

    def content(self) -> dict[str, str]:
        """The machine-readable twin of the page."""
        return {
            "mark": CONTENT_MARK,
            "kind": self.kind,
            "number": self.number,
            "holder_number": self.resident.number,
            "holder_name": self.resident.name,
            "issued_on": self.issued_on.isoformat(),
            "valid_until": self.valid_until.isoformat() if self.valid_until else "",
        }
