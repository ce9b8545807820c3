"""A loss report: asked for, in force, kept, refused, lifted."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from kiosk.domain.loss import LossReport
from kiosk.domain.offline import OfflineRefusal
from kiosk.ports import HostRefused, Question
from kiosk.services import loss_pages
from kiosk.services.offline_pages import cannot_offline
from kiosk.settings.config import Settings

# All that these pages read of a kiosk.
KIOSK: Any = SimpleNamespace(settings=Settings(run_dir="", data_dir=""), visit=SimpleNamespace(case_code="451207"))
SINCE = datetime(2026, 11, 22, 10, 24, tzinfo=UTC)
ENDS = LossReport(SINCE, date(2026, 11, 29), covers_bank=False)
LINKED = LossReport(SINCE, None, covers_bank=True)


def pages() -> list[Question]:
    return [
        loss_pages.type_number(again=False),
        loss_pages.type_number(again=True),
        loss_pages.confirm("990001194912310065"),
        loss_pages.confirm("A00000012"),
        loss_pages.reporting(),
        loss_pages.in_force(ENDS, printed=True),
        loss_pages.in_force(LINKED, printed=False),
        loss_pages.queued(KIOSK, printed=True),
        loss_pages.queued(KIOSK, printed=False),
        loss_pages.queued_before(),
        loss_pages.taken_back(printed=True),
        loss_pages.taken_back(printed=False),
        loss_pages.not_taken(KIOSK),
        loss_pages.refused(KIOSK, HostRefused("card_platform", "no_such_card")),
        loss_pages.refused(KIOSK, HostRefused("card_platform", "other")),
        loss_pages.found_again(),
        loss_pages.withdrawing(),
        loss_pages.withdrawn(),
        loss_pages.withdrawal_silent(KIOSK),
        loss_pages.withdrawal_refused(KIOSK),
        *(cannot_offline(why, "451207") for why in OfflineRefusal),
    ]
