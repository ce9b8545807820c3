"""Staff who read what the terminal says of its software, and go back from every page."""

from dataclasses import dataclass, field
from datetime import datetime

import trio

from kiosk.basics.control import SoftwareWord
from kiosk.ports import Question


@dataclass
class ReadingStaff:
    """What the page needs of the kiosk. ``moment``: at which its clock stands."""

    word: SoftwareWord | None
    moment: datetime
    asked: list[Question] = field(default_factory=list)

    @property
    def clock(self) -> "ReadingStaff":
        return self

    def now(self) -> datetime:
        return self.moment

    async def software(self) -> SoftwareWord | None:
        await trio.lowlevel.checkpoint()
        return self.word

    async def ask(self, question: Question) -> str:
        await trio.lowlevel.checkpoint()
        self.asked.append(question)
        return "back"
