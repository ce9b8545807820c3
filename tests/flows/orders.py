"""A terminal whose line to the insurance comes and goes, where residents leave bills; and its forwarder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import trio

from kiosk.basics.clock import SystemClock
from kiosk.domain.money import Fen
from kiosk.domain.offline import ActLimits, CardFinding, OfflinePolicy
from kiosk.domain.settlement import Split
from kiosk.money.drive_due import drive_due
from kiosk.money.drive_unknown import drive_unknown
from kiosk.money.keep_running_orders import Orders
from kiosk.money.live_cases import live_cases
from kiosk.money.offline_limits import OfflineLimits
from kiosk.money.settlement_orders import ACT
from kiosk.ports import Outcome
from kiosk.settings.config import Settings
from tests.flows.hospital import deliver_all
from tests.flows.owed import NOW, Terminal
from tests.flows.people import KioskInMemory

POLICY = OfflinePolicy(
    version=1,
    issued_at=datetime(2026, 11, 20, tzinfo=UTC),
    expires_at=datetime(2027, 11, 20, tzinfo=UTC),
    age_max=timedelta(hours=72),
    hotlist_age_max=timedelta(hours=24),
    unsent_fen_max=Fen(1_000_000),
    unsent_count_max=100,
    acts={ACT: ActLimits(Fen(100_000), Fen(200_000), 4)},
)
LEAVE_NOTES: dict[str, Any] = {
    "order_offered": "leave",
    "choose_bill": "B1",
    "choose_order_means": "cash",
    "confirm_order": "leave",
    "order_left": "understood",
    "order_already_left": "understood",
    "offline_ask_staff": "understood",
    "offline_card_day_full": "understood",
    "confirm_quote": "pay",
    "bill_settled": "understood",
    "device_out": "understood",
}
LEAVE_ACCOUNT = LEAVE_NOTES | {"choose_order_means": "account"}
BY_ACCOUNT = Split(Fen(25_000), Fen(17_000), Fen(8_000), Fen(0), Fen(0))


@dataclass
class Agency:
    """Documents as a test lays them out. ``finding``: what the list says once it was asked ``clear_times``."""

    rules: OfflinePolicy | None = POLICY
    finding: CardFinding = CardFinding.CLEAR
    clear_times: int = 0
    next_rules: OfflinePolicy | None = None  # once the policy was read ``reads_left`` times
    reads_left: int = 0

    def policy(self, version_min: int) -> OfflinePolicy | None:
        self.reads_left -= 1
        if self.next_rules is not None and self.reads_left < 0:
            self.rules = self.next_rules
        return self.rules if self.rules and self.rules.version >= version_min else None

    def card(self, card_number: str, now: datetime, age_max: timedelta) -> CardFinding:
        self.clear_times -= 1
        return self.finding if self.clear_times < 0 else CardFinding.CLEAR


class ForwarderClock(SystemClock):
    """Its keys are never the kiosk's; its days are the test's."""

    at = NOW

    def now(self) -> datetime:
        return self.at


class OrderTerminal(Terminal):
    """``agency`` may change its mind at any time; ``run_orders`` is the forwarder when the line is back."""

    terminal_id = "T0000001"

    def __init__(self, folder: Path, drums: dict[int, int] | None = None) -> None:
        self.agency = Agency()
        self.forwarders_clock = ForwarderClock()
        super().__init__(folder, drums)
        self.new_forwarder()

    def new_forwarder(self) -> None:
        """Another life of the process: what it had in hand it has forgotten."""
        clock, log = self.forwarders_clock, lambda *_, **__: None
        settings = Settings(run_dir="run", data_dir="data", slots={})
        journal = self.journal
        self.orders = Orders(settings, clock, journal, journal.outbox, self.office, self.office, log)

    def new_kiosk(self, script: dict[str, Any]) -> KioskInMemory:
        kiosk = super().new_kiosk(script)
        desk = kiosk.desk
        whose = msgspec.structs.replace(desk.settings.terminal, terminal_id=self.terminal_id)
        desk.settings = msgspec.structs.replace(desk.settings, terminal=whose)
        desk.offline = OfflineLimits(self.journal, self.clock, self.agency, lambda: desk.visit, lambda: True)
        return kiosk

    async def leave(self, *notes: int, **script: Any) -> Outcome | None:
        """The platform is down, and a resident with these notes wants to pay; without notes, by the account alone."""
        self.office.platform_down = True
        said = LEAVE_NOTES if notes else LEAVE_ACCOUNT
        fed = {"feed_order_notes": [*(None for _ in notes), "enough"]}
        outcome = await self.visit("settle_medical_bill", notes, **{**said, **fed, **script})
        self.journal.record("visit_closed", f"{self.visits:06d}")
        return outcome

    async def line_back(self, rounds: int = 4) -> None:
        """The forwarder goes round until everything that can come to an end has."""
        self.office.platform_down = False
        for _ in range(rounds):
            await self.forwarder_round()

    async def forwarder_round(self) -> None:
        """As ``kiosk.forwarder.forward`` does it, one after the other."""
        journal, clock = self.journal, self.forwarders_clock
        await self.orders.run_once()
        live = live_cases(journal) | self.orders.in_hand
        await drive_unknown(journal, clock, self.office, live)
        await drive_due(journal, clock, self.office, live)
        await deliver_all(journal, self.office)
        await trio.sleep(320)
