"""One visit after another: attract, card, menu, one service after another, goodbye.

Nothing of a visit survives it, and nothing opens again without the card being put in anew.
"""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import trio

from kiosk.config import Settings
from kiosk.desk import Desk
from kiosk.domain.card import CardIdentity, CardState
from kiosk.domain.offline import CardFinding
from kiosk.domain.staff import NotStaff
from kiosk.domain.text import Text, say
from kiosk.goodbye import INTERRUPTED, VisitEnd, goodbye
from kiosk.money.debt_payout import owes_here
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.refund import refund_waits
from kiosk.ports import (
    Answer,
    Back,
    CardAuthority,
    CardGone,
    CardNotGenuine,
    DeviceFault,
    HostRefused,
    Journal,
    Kiosk,
    Outcome,
    OutcomeUnknown,
    Question,
    ResidentLeft,
    Visit,
)
from kiosk.questions import (
    card_expired,
    card_problem,
    card_state_problem,
    insert_card,
    menu,
    no_card,
    out_of_order,
    reading_card,
)
from kiosk.race import first_of
from kiosk.services.change_pin import NEEDS as CHANGE_PIN_NEEDS
from kiosk.services.change_pin import change_pin
from kiosk.services.collect_money import NEEDS as COLLECT_MONEY_NEEDS
from kiosk.services.collect_money import collect_money
from kiosk.services.collect_receipt import NEEDS as COLLECT_RECEIPT_NEEDS
from kiosk.services.collect_receipt import collect_receipt
from kiosk.services.notices import device_out, device_words
from kiosk.services.pay_inpatient_deposit import NEEDS as PAY_INPATIENT_DEPOSIT_NEEDS
from kiosk.services.pay_inpatient_deposit import pay_inpatient_deposit
from kiosk.services.print_certificate import NEEDS as PRINT_CERTIFICATE_NEEDS
from kiosk.services.print_certificate import print_certificate
from kiosk.services.query_account import NEEDS as QUERY_ACCOUNT_NEEDS
from kiosk.services.query_account import query_account
from kiosk.services.settle_medical_bill import NEEDS as SETTLE_MEDICAL_BILL_NEEDS
from kiosk.services.settle_medical_bill import settle_medical_bill
from kiosk.services.take_refund import NEEDS as TAKE_REFUND_NEEDS
from kiosk.services.take_refund import take_refund
from kiosk.staff.menu import serve_staff

READ_CARD_S_MAX = 20.0
READER_SETTLE_S = 1.5  # pcscd looks for cards every 0.4 s, and a reader powers a card up in less than a second
STAFF_CARD = card_problem("card_staff").name


def _nothing_waits(journal: Journal, card_number: str) -> bool:
    return False


def _receipt_waits(journal: Journal, card_number: str) -> bool:
    return bool(receipts_owed(journal, card_number))


@dataclass(frozen=True)
class ServiceEntry:
    """One tile of the menu, where the terminal has these hosts and slots; a fitted slot may still be out of order.

    ``ways``: slots and hosts of which one is enough, such as a cash module or a bank.
    ``waits``: whether something waits here for the holder of a card. Its tile then stands first and says so, and no
    more than that: who reads it over a shoulder learns no amount. With ``if_waiting`` it has no tile else.
    """

    name: str
    label: Text
    icon: str
    needs: tuple[str, ...]
    run: Callable[[Kiosk], Awaitable[Outcome]]
    hosts: tuple[str, ...] = ()
    fitted: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    waits: Callable[[Journal, str], bool] = _nothing_waits
    if_waiting: bool = False

    def offered(self, settings: Settings) -> bool:
        there = {*settings.slots, *settings.hosts}
        by_some_way = not self.ways or bool(there & set(self.ways))
        return set(self.hosts) <= set(settings.hosts) and set(self.fitted) <= set(settings.slots) and by_some_way

    @property
    def moves_notes(self) -> bool:
        return "cash_acceptor" in (*self.fitted, *self.ways)


SERVICES = (
    ServiceEntry("query_account", say("Check balances"), "account", QUERY_ACCOUNT_NEEDS, query_account),
    ServiceEntry(
        "print_certificate", say("Print a certificate"), "certificate", PRINT_CERTIFICATE_NEEDS, print_certificate
    ),
    ServiceEntry("change_pin", say("Change the PIN"), "pin", CHANGE_PIN_NEEDS, change_pin),
    ServiceEntry(
        "settle_medical_bill",
        say("Pay a medical bill"),
        "sheet",
        SETTLE_MEDICAL_BILL_NEEDS,
        settle_medical_bill,
        hosts=("hospital", "medical_insurance"),
        ways=("cash_acceptor", "bank"),
    ),
    ServiceEntry(
        "pay_inpatient_deposit",
        say("Pay an inpatient deposit"),
        "bed",
        PAY_INPATIENT_DEPOSIT_NEEDS,
        pay_inpatient_deposit,
        hosts=("hospital",),
        ways=("cash_acceptor", "bank"),
    ),
    ServiceEntry(
        "collect_money",
        say("Collect your money"),
        "note",
        COLLECT_MONEY_NEEDS,
        collect_money,
        hosts=("hospital",),
        fitted=("cash_acceptor",),
        waits=owes_here,
    ),
    ServiceEntry(
        "collect_receipt",
        say("Print your receipt"),
        "receipt",
        COLLECT_RECEIPT_NEEDS,
        collect_receipt,
        waits=_receipt_waits,
        if_waiting=True,
    ),
    ServiceEntry(
        "take_refund",
        say("Give a paid bill back"),
        "note",
        TAKE_REFUND_NEEDS,
        take_refund,
        hosts=("hospital", "medical_insurance"),
        ways=("cash_acceptor", "bank"),
        waits=refund_waits,
        if_waiting=True,
    ),
)


async def serve_residents(desk: Desk, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """For ever: one resident after another. A card that is in the slot at start belongs to nobody known.

    Started once the page is true: a card put in from now on is served, or the page says that none can be.
    """
    stock_taken = desk.supervisor.unusable(("card_reader",)) is None
    if stock_taken:
        await _take_stock(desk)
    task_status.started()
    async with trio.open_nursery() as errands:  # what must be done for who left, and nobody waits for
        reader_watched = False
        while True:
            if not reader_watched:
                if not stock_taken:
                    await _wait_for_reader(desk)
                    await _take_stock(desk)
                stock_taken = False
                await goodbye(desk, VisitEnd(INTERRUPTED, pin_in_doubt=_pin_in_doubt(desk)), errands)
            desk.screen.clear_session()
            reader_watched = await _wait_for_card(desk)
            if reader_watched:
                end = await _visit(desk)
                await goodbye(desk, end, errands)
                reader_watched = desk.supervisor.unusable(("card_reader",)) is None and end.how != "reader_lost"


def _pin_in_doubt(desk: Desk) -> bool:
    """A change that began and never ended was cut off: either PIN may be in force (pins-and-keys 5). Told once."""
    last = desk.journal.last("pin_change_started", "pin_change_ended")
    if last is None or last.act != "pin_change_started":
        return False
    desk.journal.record("pin_change_ended", last.case_code, key=(last.facts or {}).get("key", ""), result="unknown")
    return True


async def _wait_for_reader(desk: Desk) -> None:
    while desk.supervisor.unusable(("card_reader",)) is not None:
        page = out_of_order(desk.settings)
        await first_of(partial(desk.ask_anyone, page), desk.supervisor.wait_change)


async def _take_stock(desk: Desk) -> None:
    """A reader that just came (back) tells of the card it holds a moment later. That card opens nothing."""
    desk.screen.show(insert_card())
    with trio.move_on_after(READER_SETTLE_S):
        await desk.card_inserted()


async def _wait_for_card(desk: Desk) -> bool:
    """Whether a card was put in under our eyes. False: the reader went away, and what it holds next is unknown."""
    page, own_wishes = insert_card(), desk.screen.preferences
    while desk.supervisor.unusable(("card_reader",)) is None:
        index, value = await first_of(
            partial(desk.ask_anyone, page), desk.card_inserted, desk.supervisor.wait_change, desk.unattended
        )
        if index == 1:
            return True
        if index != 2:
            page = no_card(desk.settings) if value == "no_card" else insert_card()
        # Who came without a card and left must not choose the language, size and voice of the next one.
        if index == 3 and desk.screen.preferences != own_wishes:
            desk.screen.clear_session()
    return False


async def _visit(desk: Desk) -> VisitEnd:
    """Serve one card until it is pulled, its owner is finished, or nobody answers any more."""
    try:
        live = partial(_live_visit, desk, desk.clock.new_case_code())
        _, end = await first_of(live, desk.mind_card)
        return replace(end, next_in=desk.card.next_in.is_set())  # type: ignore[no-any-return]  # the race's first
    finally:
        if hasattr(desk, "visit"):
            del desk.visit  # whoever it was, and however it ended: no name and no number is kept


async def _live_visit(desk: Desk, code: str) -> VisitEnd:
    try:
        await _open_visit(desk, code)
    except CardGone:
        return VisitEnd("card_gone")
    except ResidentLeft as left:
        return VisitEnd(left.how)
    except _NotServed as closed:
        if closed.question.name == STAFF_CARD:
            return await _live_duty(desk, code)
        desk.journal.record("card_not_served", code, reason=closed.question.name)
        return VisitEnd(await _show_and_end(desk, closed.question))
    desk.journal.record("visit_opened", code, card_spec=desk.visit.identity.spec_version)
    how = "stopped"
    try:
        await _serve_menu(desk)
    except ResidentLeft as left:
        how = left.how
    except CardGone:
        how = "card_gone"
    desk.journal.record("visit_closed", code, how=how)
    return VisitEnd(how, desk.visit.papers, desk.visit.receipts)


async def _live_duty(desk: Desk, code: str) -> VisitEnd:
    """A staff card: its own menu, or the page of a foreign card. Never the residents' menu."""
    how = "stopped"
    try:
        await serve_staff(desk, code)
    except NotStaff as refused:
        desk.journal.record("staff_card_refused", code, reason=refused.reason)
        how = await _show_and_end(desk, card_problem("card_foreign"))
    except ResidentLeft as left:
        how = left.how
    except (CardGone, DeviceFault):
        how = "card_gone"
    desk.journal.record("staff_visit_closed", code, how=how)
    return VisitEnd(how, desk.visit.papers, desk.visit.receipts) if hasattr(desk, "visit") else VisitEnd(how)


class _NotServed(Exception):
    """This card is not served now; the question says why."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.name)
        self.question = question


async def _open_visit(desk: Desk, code: str) -> None:
    """Identification code, genuine check, external authentication, holder: in this order (pins-and-keys 11).

    Raises:
        _NotServed, CardGone.
    """
    desk.screen.show(reading_card())
    try:
        with trio.fail_after(READ_CARD_S_MAX):
            reader = desk.card_reader
            identity = await reader.read_identity()
            await reader.prove_genuine(_authority(desk))
            holder = await reader.read_holder()
    except DeviceFault as fault:
        if fault.slot == "sam_reader":
            raise _NotServed(card_problem("no_authority")) from fault  # the card is fine; nobody here can prove it
        if not fault.health.reason.startswith("card_"):
            raise CardGone from fault  # the reader itself; the supervisor tells and repairs
        raise _NotServed(card_problem(fault.health.reason)) from fault
    except CardNotGenuine as fake:
        raise _NotServed(card_problem(fake.reason)) from fake
    except (OutcomeUnknown, HostRefused) as silent:
        raise _NotServed(card_problem("no_authority")) from silent
    except trio.TooSlowError as slow:
        raise _NotServed(card_problem("card_mute")) from slow
    desk.visit = Visit(identity, holder, code)
    await _check_card_state(desk, identity)
    if identity.expires is not None and identity.expires < desk.clock.now().date():
        try:
            await desk.ask(card_expired(identity))
        except Back:
            raise ResidentLeft("stopped") from None


def _authority(desk: Desk) -> CardAuthority:
    """The PSAM where there is one, else the province's HSM through the card platform."""
    if desk.supervisor.unusable(("sam_reader",)) is None:
        sam: CardAuthority = desk.supervisor.device("sam_reader")
        return sam
    return desk.card_platform


async def _check_card_state(desk: Desk, identity: CardIdentity) -> None:
    """A platform that does not answer closes nothing here; then the hotlist is asked, if there is one. What needs a
    clear card says so itself (``kiosk.offline``)."""
    try:
        state = await desk.card_platform.card_state(identity)
    except (OutcomeUnknown, HostRefused):
        desk.journal.record("card_state_unknown", desk.visit.case_code)
        if desk.offline.card_finding() is CardFinding.LISTED:
            raise _NotServed(card_problem("ask_staff")) from None
        return
    if state is not CardState.NORMAL:
        raise _NotServed(card_state_problem(state, desk.settings))


async def _serve_menu(desk: Desk) -> None:
    while True:
        chosen = await _choose_service(desk)
        if chosen is None:
            return
        entry = next(entry for entry in SERVICES if entry.name == chosen)
        desk.log("service_started", service=entry.name)
        try:
            with desk.lend_cash() if entry.moves_notes else nullcontext():
                outcome = await entry.run(desk)
        except Back:
            outcome = Outcome.BACK
        except DeviceFault as fault:
            outcome = await device_out(desk, fault)
        desk.journal.record("service_ended", desk.visit.case_code, service=entry.name, outcome=outcome.value)


async def _choose_service(desk: Desk) -> str | None:
    """The menu, redrawn when a device comes or goes. None: the resident is finished."""
    while True:
        question = menu(desk.visit, _tiles(desk))
        try:
            index, value = await first_of(partial(desk.ask, question), desk.supervisor.wait_change)
        except Back:
            return None
        if index == 0:
            return str(value)


def _tiles(desk: Desk) -> tuple[Answer, ...]:
    """What this terminal offers; what waits for this card stands first."""
    card = desk.visit.identity.card_number
    offered = [entry for entry in SERVICES if entry.offered(desk.settings)]
    waiting = [entry for entry in offered if entry.waits(desk.journal, card)]
    others = [entry for entry in offered if entry not in waiting and not entry.if_waiting]
    return tuple(_tile(desk, entry, entry in waiting) for entry in (*waiting, *others))


def _tile(desk: Desk, entry: ServiceEntry, waits: bool) -> Answer:
    missing = desk.supervisor.unusable(entry.needs)
    reason = device_words(missing, desk.supervisor.health(missing).reason) if missing else None
    note = say("Waiting for you") if waits else None
    return Answer(entry.name, entry.label, icon=entry.icon, note=note, unavailable=reason)


async def _show_and_end(desk: Desk, question: Question) -> str:
    try:
        await desk.ask(question)
    except Back:
        return "stopped"
    except ResidentLeft as left:
        return left.how
    return "stopped"
