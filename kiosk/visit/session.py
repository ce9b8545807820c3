"""One visit after another: attract, card, menu, one service after another, goodbye.

Nothing of a visit survives it, and nothing opens again without the card being put in anew.
"""

from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import NoReturn

import trio

from kiosk.basics.race import first_of
from kiosk.domain.card import CardIdentity, CardState
from kiosk.domain.offline import CardFinding
from kiosk.domain.staff import NotStaff
from kiosk.domain.text import Text, say
from kiosk.money.means import no_bank_card_here
from kiosk.ports import (
    Answer,
    Back,
    CardAuthority,
    CardGone,
    CardNotGenuine,
    DeviceFault,
    HostRefused,
    Outcome,
    OutcomeUnknown,
    Question,
    ResidentLeft,
    Visit,
)
from kiosk.services.notices import device_out, device_words
from kiosk.services.report_loss import nobodys_visit, report_lost_card, withdraw_loss
from kiosk.staff.menu import serve_staff
from kiosk.visit.catalogue import SERVICES, ServiceEntry
from kiosk.visit.desk import Desk
from kiosk.visit.goodbye import INTERRUPTED, VisitEnd, goodbye
from kiosk.visit.opening import PAUSED
from kiosk.visit.questions import (
    CARD_LOST,
    card_expired,
    card_problem,
    card_state_problem,
    getting_ready,
    insert_card,
    menu,
    no_card,
    not_open,
    out_of_order,
    reading_card,
)

ASKED_AFTER_S = 0.01  # then the question to the platform is on its way, and this thread has nothing to do
READER_SETTLE_S = 1.5  # pcscd looks for cards every 0.4 s, and a reader powers a card up in less than a second
STAFF_CARD = card_problem("card_staff").name
REPORTED_LOST = f"card_state_{CardState.TEMPORARILY_LOST.value}"


async def serve_residents(desk: Desk, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """For ever: one resident after another. A card that is in the slot at start belongs to nobody known.

    Started once the page is true: a card put in from now on is served, or the page says that none can be.
    """
    stock_taken = desk.card_slot.works
    if stock_taken:
        await _take_stock(desk)
    task_status.started()
    async with trio.open_nursery() as errands:  # what must be done for who left, and nobody waits for
        reader_watched, desk.opening.errands = False, errands
        while True:
            if desk.opening.shut:
                reader_watched = await _stay_shut(desk, errands, reader_watched)
            if not reader_watched:
                if not stock_taken:
                    await _wait_for_reader(desk)
                    await _take_stock(desk)
                stock_taken = False
                await goodbye(desk, VisitEnd(INTERRUPTED, pin_in_doubt=_pin_in_doubt(desk)), errands)
            desk.screen.clear_session()
            how = (await _serve_one(desk, errands)).how if await _wait_for_card(desk) else ""
            reader_watched = desk.card_slot.works and how != "reader_lost"


async def _serve_one(desk: Desk, errands: trio.Nursery) -> VisitEnd:
    with desk.opening.one_served():
        end = await _visit(desk)
        await goodbye(desk, end, errands)
    return end


async def _stay_shut(desk: Desk, errands: trio.Nursery, watched: bool) -> bool:
    """Until residents are served again. Staff do their duties meanwhile; a resident's card is given back unread.

    Whether the slot was ``watched`` all the while and is empty: who puts a card in at the very moment of opening is
    served, and not asked to take out a card of which nobody knows.
    """
    while why := desk.opening.shut:
        desk.screen.clear_session()
        watched = watched and why != PAUSED
        page = not_open(desk.settings, why)
        card = trio.sleep_forever if why == PAUSED else desk.card_slot.inserted
        away = desk.card_slot.reader_away if watched else trio.sleep_forever
        index, _ = await first_of(partial(desk.ask_anyone, page), desk.opening.wait_change, card, away)
        watched = watched and index != 3
        if index == 2:
            end = await _serve_one(desk, errands)
            watched = watched and end.how != "reader_lost"
    return watched and desk.card_slot.works and not desk.card_slot.inside


def _pin_in_doubt(desk: Desk) -> bool:
    """A change that began and never ended was cut off: either PIN may be in force (pins-and-keys 5). Told once."""
    last = desk.journal.last("pin_change_started", "pin_change_ended")
    if last is None or last.act != "pin_change_started":
        return False
    desk.journal.record("pin_change_ended", last.case_code, key=(last.facts or {}).get("key", ""), result="unknown")
    return True


async def _wait_for_reader(desk: Desk) -> None:
    while not desk.card_slot.works:
        page = out_of_order(desk.settings)
        await first_of(partial(desk.ask_anyone, page), desk.supervisor.wait_change)


async def _take_stock(desk: Desk) -> None:
    """A reader that just came (back) tells of the card it holds a moment later. That card opens nothing, so nobody is
    asked for one meanwhile."""
    desk.screen.show(getting_ready())
    with trio.move_on_after(READER_SETTLE_S):
        await desk.card_slot.inserted()


async def _wait_for_card(desk: Desk) -> bool:
    """Whether a card was put in under our eyes. False: the reader went away, and what it holds next is unknown; or
    residents are served no more."""
    page, own_wishes = insert_card(), desk.screen.preferences
    while desk.card_slot.works and not desk.opening.shut:
        index, value = await first_of(
            partial(desk.ask_anyone, page),
            desk.card_slot.inserted,
            desk.supervisor.wait_change,
            desk.unattended,
            desk.opening.wait_change,
        )
        if index == 1:
            return True
        if value == CARD_LOST:
            with desk.opening.one_served():
                index, _ = await first_of(partial(_serve_without_card, desk), desk.card_slot.inserted)
            if index == 1:
                return True
        if index not in (2, 4):
            page = no_card(desk.settings) if value == "no_card" else insert_card()
        # Who came without a card and left must not choose the language, size and voice of the next one.
        if index == 3 and desk.screen.preferences != own_wishes:
            desk.screen.clear_session()
    return False


async def _serve_without_card(desk: Desk) -> None:
    """The one thing that can be done here without a card: to report it. The next card ends it."""
    code, how = desk.clock.new_case_code(), "left"
    desk.visit = nobodys_visit(code)
    try:
        with suppress(Back, ResidentLeft):
            how = (await report_lost_card(desk)).value
    finally:
        del desk.visit
    desk.journal.record("service_ended", code, service="report_lost_card", outcome=how)


async def _visit(desk: Desk) -> VisitEnd:
    """Serve one card until it is pulled, its owner is finished, or nobody answers any more."""
    try:
        live = partial(_live_visit, desk, desk.clock.new_case_code())
        _, end = await first_of(live, desk.card_slot.mind)
        return replace(end, next_in=desk.card_slot.watch.next_in.is_set())  # type: ignore[no-any-return]  # the race's first
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
        if closed.question.name == REPORTED_LOST:
            return VisitEnd(await _lift_report(desk, code))
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


async def _lift_report(desk: Desk, code: str) -> str:
    """A card that its holder may have found again; whatever comes of it, the visit ends."""
    how, outcome = "stopped", Outcome.BACK
    try:
        outcome = await withdraw_loss(desk)
    except Back:
        pass
    except ResidentLeft as left:
        how = left.how
    except (CardGone, DeviceFault):
        how = "card_gone"
    desk.journal.record("service_ended", code, service="withdraw_loss", outcome=outcome.value)
    desk.journal.record("visit_closed", code, how=how)
    return how


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
        with trio.fail_after(desk.settings.timing.read_card_s):
            reader = desk.card_reader
            identity = await reader.read_identity()  # of a staff card it raises
            if desk.opening.shut:
                raise _NotServed(not_open(desk.settings, desk.opening.shut, card_in=True))
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
    await first_of(partial(_check_card_state, desk, identity), partial(_foresee_menu, desk))
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


async def _foresee_menu(desk: Desk) -> NoReturn:
    """What the platform's yes will most probably bring is laid out while it thinks; until then nobody sees it."""
    await trio.sleep(ASKED_AFTER_S)
    desk.screen.foresee(menu(desk.visit, _tiles(desk)))
    await trio.sleep_forever()


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
    others = [entry for entry in offered if entry not in waiting and entry.stands_always(desk.settings)]
    return tuple(_tile(desk, entry, entry in waiting) for entry in (*waiting, *others))


def _tile(desk: Desk, entry: ServiceEntry, waits: bool) -> Answer:
    note, reason = say("Waits for you") if waits else None, _why_shut(desk, entry)
    if note is None and reason is None and _in_notes_only(desk, entry):
        note = say("No bank card")
    return Answer(entry.name, entry.label, icon=entry.icon, note=note, unavailable=reason)


def _why_shut(desk: Desk, entry: ServiceEntry) -> Text | None:
    missing = desk.supervisor.unusable(entry.slots(desk.settings))
    if missing:
        return device_words(missing, desk.supervisor.health(missing).reason)
    if _in_notes_only(desk, entry) and "cash_acceptor" not in desk.settings.slots:
        return say("A bank card cannot pay at this machine.")
    return None


def _in_notes_only(desk: Desk, entry: ServiceEntry) -> bool:
    """A service that takes a bank card too, where this terminal has a bank and yet no way to it."""
    return "bank" in entry.ways and bool(no_bank_card_here(desk.settings, desk.card_reader))


async def _show_and_end(desk: Desk, question: Question) -> str:
    try:
        await desk.ask(question)
    except Back:
        return "stopped"
    except ResidentLeft as left:
        return left.how
    return "stopped"
