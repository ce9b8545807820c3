"""Two of staff go through everything there is, on a terminal with much to explain."""

from collections.abc import Awaitable
from datetime import datetime
from pathlib import Path
from typing import cast

from msgspec import structs

from kiosk.basics.control import SoftwareWord
from kiosk.domain.books import Account, balanced
from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.domain.ledger import SecondCopy, StickCopy
from kiosk.domain.money import Fen
from kiosk.domain.statement import ContributionRow, DebtActRow, DepositRow
from kiosk.domain.typed_keys import PartAnswer, PartEnd
from kiosk.money.bank_record import bank_facts
from kiosk.ports import DeviceFault, Question
from kiosk.ports.money import BankPayment
from kiosk.ports.staff import StaffKiosk, StickTrouble
from kiosk.settings.config import HostSettings, JournalRules
from kiosk.staff.software import show_software
from simulators.pki import make_pki
from tests.flows import test_staff_closing as closing
from tests.flows import test_staff_path as clearing
from tests.flows import test_staff_reconcile as comparing
from tests.flows import test_staff_refund as refund
from tests.flows import test_staff_stick as taking
from tests.flows.custodians import IN, LAST, KeyRoom
from tests.flows.duty import DutyRoom
from tests.flows.reading_staff import ReadingStaff
from tests.flows.test_staff_split import split

VALUES = (10_000, 5_000, 2_000, 1_000, 500, 100)
COUNT = {f"staff_count_{value}": 9 for value in VALUES} | {f"staff_load_{value}": 9 for value in VALUES}
ALL = {
    "staff_open": "done",
    "staff_seal": 123456789012,
    "staff_counted": "understood",
    "staff_status": "back",
    "staff_cases": "back",
    "staff_case": "back",
    "staff_figures": "done",
    "staff_booked": "understood",
    "staff_waits": "understood",
    "staff_may_not_approve": "understood",
    "staff_not_approved": "understood",
    "staff_nothing_waits": "understood",
    "staff_money_moves": "understood",
    "staff_end_of_day": "print",
    "staff_day_ended": "understood",
    "staff_not_now": "understood",
    "staff_pin_refused": "again",
}
HELD_FEN = 98_765_432


async def staff_pages(folder: Path, now: datetime) -> list[Question]:
    """What was asked and shown, in order; the clock stands at ``now``, so that the pages are the same every time."""
    room = DutyRoom(folder / "data", make_pki(folder / "pki", now))
    room.clock.moment = now
    found: list[Question] = []
    room.kiosk.receipts.broken = Health(Condition.FAULT, "paper_out")
    held = balanced((Account.CASH_BOX, HELD_FEN), (Account.SUSPENSE, -HELD_FEN))
    room.journal.commit(NewEntry("dispense_uncertain", "451207", {"unaccounted_fen": HELD_FEN}, "C1", held))
    room.kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, 2), PinVerdict(PinResult.OK)]
    first, second = room.card("1001", "clerk"), room.card("1002", "supervisor")
    everything = ["status", "cases", "approve", "cash_box", "cash_box", "drums", "approve", "end_of_day", "finish"]
    plan = [
        (first, everything, {"staff_cases": ["451207", "back"]}),
        (second, ["approve", "approve", "finish"], {"staff_approve": ["approve", "refuse"]}),
    ]
    for card, menu, more in plan:
        await room.visit(card, staff_menu=menu, **(ALL | COUNT | more))
        found += [*room.kiosk.screen.asked, *room.kiosk.screen.shown]
    room.kiosk.receipts.fault = DeviceFault("receipt_printer", Health(Condition.FAULT, "paper_out"))
    await room.visit(first, staff_menu=["end_of_day", "finish"], **ALL)
    found += room.kiosk.screen.asked
    room.reader.signatures_left = 2  # enough to be let in
    await room.visit(first, staff_menu=["cash_box", "finish"], **ALL)
    found += room.kiosk.screen.asked
    room.reader.signatures_left = None
    room.journal.commit(NewEntry("note_intent", "451208", {"note": "n"}, opens="note:n"))
    await room.visit(first, staff_menu=["cash_box", "finish"], **ALL)
    found += room.kiosk.screen.asked
    room.journal.close()
    found += await _closings(folder, now)
    found += await _refunds(folder, now)
    found += await _comparisons(folder, now)
    found += await _clearings(folder, now)
    found += await _sticks(folder, now)
    found += await _keys(folder, now)
    found += await _software(now)
    return [one for one in found if "staff_" in one.name or "refund" in one.name]


async def _closings(folder: Path, now: datetime) -> list[Question]:
    """A case is proposed for closing, refused, proposed again and closed; and one that cannot be."""
    room = DutyRoom(folder / "closings", make_pki(folder / "pki", now))
    room.clock.moment = now
    found = Pages(room)
    fed = balanced((Account.CASH_BOX, HELD_FEN), (Account.RESIDENT, -HELD_FEN))
    lost = balanced((Account.RESIDENT, HELD_FEN), (Account.SUSPENSE, -HELD_FEN))
    room.journal.commit(NewEntry("note_credited", closing.CODE, {"denomination_fen": HELD_FEN}, "C1", fed))
    room.journal.commit(NewEntry("dispense_uncertain", closing.CODE, {"unaccounted_fen": HELD_FEN}, "C1", lost))
    await found.of(closing.propose(room, "nobody"))
    await found.of(closing.approve(room, "1001"))
    await found.of(closing.approve(room, staff_close_approve="refuse"))
    await found.of(closing.propose(room, "holder"))
    await found.of(closing.approve(room))
    room.journal.commit(NewEntry("dispense_uncertain", closing.CODE, {"unaccounted_fen": HELD_FEN}, "C1", lost))
    room.journal.commit(NewEntry("note_credited", closing.CODE, {"denomination_fen": HELD_FEN}, "C1", fed))
    parts = {"holder": [1, HELD_FEN - 600], "hospital": [HELD_FEN, 100], "paid_out": 200, "nobody": 300}
    await found.of(closing.propose(room, "split", staff_parts_differ="understood", **split(**parts)))
    await found.of(closing.approve(room, staff_close_part="next"))
    room.journal.commit(NewEntry("settle_intent", "451209", {"message_id": "m1"}, "C1", opens="m1"))
    await found.of(closing.propose(room, code="451209"))
    room.journal.close()
    return found.pages


async def _refunds(folder: Path, now: datetime) -> list[Question]:
    """A refund is opened, declined, opened again, approved and taken; and a number that nothing was paid under."""
    room = DutyRoom(folder / "refunds", make_pki(folder / "pki", now), drums={1000: 9})
    room.clock.moment = now
    hosts = {name: HostSettings(url="https://127.0.0.1") for name in ("hospital", "medical_insurance")}
    room.kiosk.desk.settings = structs.replace(room.kiosk.desk.settings, hosts=hosts)
    found = Pages(room)
    refund.settle_a_bill(room)
    await found.of(refund.opened(room, staff_refund_number=111111))
    await found.of(refund.opened(room))
    await found.of(refund.approved(room, staff_refund_approve="refuse"))
    await found.of(refund.opened(room))
    await found.of(refund.approved(room))
    await found.of(refund.taken(room))
    for _ in range(2):
        refund.settle_a_bill(room)
    await found.of(refund.opened(room, staff_refund_choose="back"))
    card = room.reader.identity.card_number
    deposit = {"key": "deposit-1", "admission": "ZY1", "department": "d", "amount_fen": HELD_FEN}
    room.journal.commit(NewEntry("deposited", "451208", deposit, card))
    await found.of(refund.opened(room, staff_refund_number=451208, staff_refund_open="back"))
    held = balanced((Account.BANK_CLEARING, HELD_FEN), (Account.SUSPENSE, -HELD_FEN))
    payment = bank_facts(BankPayment("000001", "000001", "R", "A", Fen(HELD_FEN), "621700******1234"))
    room.journal.commit(NewEntry("deposit_refused_late", "451210", payment, card, held))
    await found.of(refund.opened(room, staff_refund_number=451210))
    await found.of(refund.approved(room))
    room.journal.close()
    return found.pages


async def _sticks(folder: Path, now: datetime) -> list[Question]:
    """Records onto a stick, with the agency's answer and with one that is not; a stick that is full; a worn card."""
    room = DutyRoom(folder / "sticks", make_pki(folder / "pki", now))
    room.clock.moment = now
    taking.fit(room, JournalRules(stick="/media/stick"))
    found = Pages(room)
    seen = taking.WRITE | {"staff_menu": ["status", "stick", "finish"], "staff_status": "back"}
    for answer in (StickCopy(1, 40_000), StickCopy(40_001, 40_002, "refused"), StickCopy(0, 0, "kept")):
        room.kiosk.desk.other_copies = taking.Copies(answer)
        await found.of(room.visit(room.card("1001", "clerk"), **taking.WRITE))
    room.kiosk.desk.other_copies = taking.Copies(StickTrouble("full"), SecondCopy(7, "other_journal"))
    await found.of(room.visit(room.card("1001", "clerk"), **seen))
    room.journal.close()
    return found.pages


async def _comparisons(folder: Path, now: datetime) -> list[Question]:
    """A day that agrees and differs, one that the hospital does not have yet, a silent hospital, and none at all."""
    room = comparing.ComparingRoom(folder / "comparisons", make_pki(folder / "pki", now))
    room.clock.moment = now
    found = Pages(room)
    day = comparing.settle(room, "m1", "451207")
    comparing.settle(room, "m2", "451208")
    await found.of(comparing.compare(room, day))
    comparing.reconciled(room, day)
    room.details.days[day] += [comparing.row("m1"), comparing.row("m2", HELD_FEN), comparing.row("m3")]
    await found.of(comparing.compare(room, day))
    room.details.credited.append(DepositRow("credited", "k1", "ZY1", Fen(HELD_FEN), "cash", "YJ1", day))
    room.details.register.append(DebtActRow("reserved", "k2", "QK00000001", Fen(HELD_FEN), day))
    room.journal.commit(NewEntry("drums_exchanged", "000777", {}))
    await found.of(comparing.compare(room, day))
    await found.of(comparing.compare(room, day, staff_reconcile_day="back"))
    room.details.refusal = "no_such_service"
    await found.of(comparing.compare(room, day))
    room.details.silent = True
    await found.of(comparing.compare(room, day))
    room.kiosk.desk.statements, room.kiosk.hosts.silent = None, True
    await found.of(comparing.compare(room, day))
    room.kiosk.hosts.silent = False
    room.kiosk.hosts.contributions = (ContributionRow("k9", "C0000000009", Fen(HELD_FEN), day),)
    await found.of(comparing.compare(room, day))
    room.journal.close()
    return found.pages


async def _clearings(folder: Path, now: datetime) -> list[Question]:
    """Notes on their way are cleared, and nothing waits to be."""
    room = DutyRoom(folder / "clearings", make_pki(folder / "pki", now), cash=clearing.StuckMachine({1000: 5}))
    room.clock.moment = now
    found = Pages(room)
    await found.of(clearing.clear(room))
    await found.of(clearing.clear(room, stuck=False))
    room.journal.close()
    return found.pages


async def _keys(folder: Path, now: datetime) -> list[Question]:
    """A key is typed by two custodians, refused, typed anew and confirmed; and every way in which it is not typed."""
    room = KeyRoom(folder / "keys", make_pki(folder / "pki", now), now)
    found = Pages(room)
    room.pad.answers = [PartAnswer(PartEnd.NOT_TAKEN), IN]
    await found.of(room.custodian("1001"))
    await found.of(room.custodian("1001"))
    await found.of(room.custodian("1003"))
    room.pad.answers = [PartAnswer(PartEnd.CANCELLED), LAST]
    await found.of(room.custodian("1002"))
    await found.of(room.custodian("1001", staff_key_check_value="refuse"))
    room.pad.answers = [IN, LAST]
    for who in ("1001", "1002", "1001"):
        await found.of(room.custodian(who))
    for end in (PartEnd.TIMED_OUT, PartEnd.FORGOTTEN, PartEnd.MIXED):
        room.pad.answers = [PartAnswer(end)]
        await found.of(room.custodian("1001"))
    room.kiosk.desk.opening.bring_back("2")
    await found.of(room.custodian("1001"))
    room.journal.close()
    return found.pages


async def _software(now: datetime) -> list[Question]:
    """A version is on trial, a stick was refused, and two went before; and nobody says anything of it."""
    then = int(now.timestamp() * 1000)
    events = (
        (then - 86_400_000, "installed", "1.4.0", ""),
        (then - 3_600_000, "returned", "1.5.0", "slot pin_pad is fault"),
    )
    word = SoftwareWord(
        ("1.4.0",), "1.6.0", "trial", "", "no_way_back", "1.3.0", "older than what runs", 12, "full", events
    )
    found: list[Question] = []
    for one in (word, None):
        staff = ReadingStaff(one, now)
        await show_software(cast(StaffKiosk, staff))
        found += staff.asked
    return found


class Pages:
    """What a room asked and showed, visit by visit."""

    def __init__(self, room: DutyRoom) -> None:
        self._room = room
        self.pages: list[Question] = []

    async def of(self, visit: Awaitable[None]) -> None:
        await visit
        self.pages += [*self._room.kiosk.screen.asked, *self._room.kiosk.screen.shown]
