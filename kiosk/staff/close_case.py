"""Closing a case: one person says what became of the money, a second one approves, and only then is it booked.

Refused while an effect of the case is open: what nobody knows is proved by the detail of a host or by a count, never
by choosing an answer here (money-rules 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kiosk.domain.cases import OpenCase
from kiosk.domain.entries import Facts, NewEntry, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.text import Amount, say
from kiosk.money.debt_payout import ended_by_people
from kiosk.money.debts import debt_notice, register_of
from kiosk.money.refundable import waits_for_a_card
from kiosk.ports import Answer, Figure, Figures, Question, Role, Tone
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.count import BACK, tell
from kiosk.staff.remedies import (
    PAID_OUT,
    SPLIT,
    TELL_AGAIN,
    Part,
    Stake,
    amount_of,
    can_be_split,
    owed_fen,
    part_facts,
    parts_of,
    postings,
    remedies,
    stake_of,
    whole,
)
from kiosk.staff.second import may_not_approve, too_old
from kiosk.staff.split import ask_parts, show_parts
from kiosk.staff.visit import OnDuty, still_there

PROPOSED, REFUSED, CLOSED = "case_close_proposed", "case_close_refused", "case_closed"
LOST, FOUND_OUT, GIVEN_UP = "note_uncertain", "cash_box_exchanged", "note_given_up"
PUT_ASIDE = "notice_put_aside"
PROPOSE = Answer("propose", say("Propose this"), Role.MAIN)


@dataclass(frozen=True)
class Closing:
    """A proposal that waits for its second person."""

    case: OpenCase
    entry: StoredEntry
    facts: Facts
    stake: Stake
    parts: tuple[Part, ...]


async def propose_closing(kiosk: StaffKiosk, duty: OnDuty, case: OpenCase) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    story = kiosk.journal.story(case.code)
    if unknown(kiosk, story):
        await tell(
            kiosk,
            "staff_case_unknown",
            say("This case cannot be closed yet"),
            say("The outcome of one of its acts is not known."),
            say("The hospital's detail or a count will tell."),
        )
        return
    if _waiting(kiosk, case):
        await _tell_it_waits(kiosk)
        return
    stake = _stake(kiosk, case, story)
    parts = await _chosen(kiosk, case, stake)
    await kiosk.ask(
        Question(
            "staff_close_propose",
            say("Close the case like this?"),
            (say("A second person must approve it."),),
            Figures(_figures(parts), secret=False),
            (BACK, PROPOSE),
            case_code=case.code,
        )
    )
    await still_there(kiosk, duty)
    facts: Facts = {"counter": duty.staff.staff_id, "stake_fen": stake.amount_fen, **part_facts(parts)}
    kiosk.journal.commit(NewEntry(PROPOSED, case.code, facts))
    await _tell_it_waits(kiosk)


async def _chosen(kiosk: StaffKiosk, case: OpenCase, stake: Stake) -> tuple[Part, ...]:
    """Raises: Back."""
    offered = (*remedies(stake), *((SPLIT,) if can_be_split(stake) else ()))
    rows = tuple(Answer(one.name, one.words, Role.ROW) for one in offered)
    explain = [say("To the holder only by “Give money back”, to the card.")] if stake.of_card else []
    if stake.overtaken:
        explain.append(say("Not told again: the card was reported as lost again since."))
    heading = say("What became of the money?")
    reason = Question("staff_close_reason", heading, tuple(explain), answers=(*rows, BACK), case_code=case.code)
    name = await kiosk.ask(reason)
    if name == SPLIT.name:
        return await ask_parts(kiosk, stake)
    return whole(next(one for one in remedies(stake) if one.name == name), stake)


async def _tell_it_waits(kiosk: StaffKiosk) -> None:
    await tell(
        kiosk,
        "staff_close_waits",
        say("The closing waits"),
        say("A second person must approve it with their own card."),
        tone=Tone.NEUTRAL,
    )


def closings(kiosk: StaffKiosk) -> list[Closing]:
    """Every proposal that waits, oldest case first. One whose case has moved since is none any more."""
    found = (_waiting(kiosk, case) for case in kiosk.books.open_cases() if case.code)
    return [one for one in found if one is not None]


def _waiting(kiosk: StaffKiosk, case: OpenCase) -> Closing | None:
    story = kiosk.journal.story(case.code)
    about = [entry for entry in story if entry.act in (PROPOSED, REFUSED, CLOSED)]
    if not about or about[-1].act != PROPOSED or about[-1].facts is None or too_old(kiosk, about[-1]):
        return None
    facts, stake = about[-1].facts, _stake(kiosk, case, story)
    parts = parts_of(facts, stake)
    if not parts or facts["stake_fen"] != stake.amount_fen:
        return None
    return Closing(case, about[-1], facts, stake, parts)


async def approve_closing(kiosk: StaffKiosk, duty: OnDuty, closing: Closing) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    code = closing.case.code
    refusal = may_not_approve(duty, str(closing.facts["counter"]))
    if refusal:
        await tell(kiosk, "staff_may_not_approve", refusal, say("Another person must approve it."))
        return
    kiosk.journal.record("case_viewed", kiosk.visit.case_code, staff=duty.staff.staff_id, case=code)
    if len(closing.parts) > 1:
        await show_parts(kiosk, closing.parts)
    answer = await kiosk.ask(
        Question(
            "staff_close_approve",
            say("Do you approve this closing?"),
            body=Figures(_figures(closing.parts, str(closing.facts["counter"])), secret=False),
            answers=(
                BACK,
                Answer("refuse", say("Do not approve"), Role.SECOND),
                Answer("approve", say("Approve"), Role.MAIN),
            ),
            case_code=code,
        )
    )
    await still_there(kiosk, duty)
    if answer == "refuse":
        kiosk.journal.commit(NewEntry(REFUSED, code, {**closing.facts, "approver": duty.staff.staff_id}))
        await tell(kiosk, "staff_close_refused", say("Not approved: the case stays open"))
        return
    if unknown(kiosk, kiosk.journal.story(code)):  # it may have moved while the page stood
        await tell(kiosk, "staff_case_unknown", say("This case cannot be closed yet"))
        return
    _close(kiosk, duty, closing)
    await tell(kiosk, "staff_closed", say("The case is closed"), tone=Tone.DONE)


def _close(kiosk: StaffKiosk, duty: OnDuty, closing: Closing) -> None:
    code, stake = closing.case.code, closing.stake
    story = kiosk.journal.story(code)
    for note in _lost_notes(kiosk, story):
        # Each effect has a commit of its own; the case stays open until the last one.
        key = str((note.facts or {})["note"])
        kiosk.journal.commit(NewEntry(GIVEN_UP, code, {"note": key}, closes=f"note:{key}"))
    _end_notices(kiosk, duty, closing)
    owed = owed_fen(closing.parts)
    facts: dict[str, str | int] = {**closing.facts, "approver": duty.staff.staff_id, "owed_fen": owed}
    ended = ended_by_people(story, amount_of(closing.parts, PAID_OUT))
    notices = ended.notices if ended else ()
    anew = Fen(max(0, owed - ended.kept_fen)) if ended else owed
    if anew:
        key = kiosk.clock.new_key()
        notices = (*notices, debt_notice(register_of(story), key, stake.card_number, anew, "case_closed"))
    if owed:
        facts["receipt_owed"] = 1
    card = stake.card_number if owed else ""
    kiosk.journal.commit(NewEntry(CLOSED, code, facts, card, postings(closing.parts, stake), notices=notices))


def _end_notices(kiosk: StaffKiosk, duty: OnDuty, closing: Closing) -> None:
    """What a host refused is told once more, or never: two people have said which."""
    for key in closing.stake.aside:
        assert kiosk.aside is not None, "a terminal that puts notices aside can take them up again"
        if closing.parts[0].remedy is TELL_AGAIN:
            kiosk.aside.release(key, duty.staff.staff_id)
        else:
            counter, remedy = str(closing.facts["counter"]), str(closing.facts["remedy"])
            kiosk.aside.give_up(key, counter, duty.staff.staff_id, remedy)


def unknown(kiosk: StaffKiosk, story: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Effects of the case whose outcome nothing has proved yet."""
    seqs = {entry.seq for entry in story}
    lost = {entry.seq for entry in _lost_notes(kiosk, story)}
    left_inside = [newest for newest, _ in kiosk.journal.unspent()]
    return [one for one in (*kiosk.journal.open_effects(), *left_inside) if one.seq in seqs and one.seq not in lost]


def _lost_notes(kiosk: StaffKiosk, story: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Intents of notes of which is known that nobody knows, and for which a box was opened and counted since."""
    counted = kiosk.journal.last(FOUND_OUT)
    notes = {
        (entry.facts or {}).get("note")
        for entry in story
        if entry.act == LOST and counted is not None and counted.seq > entry.seq
    }
    seqs = {entry.seq for entry in story}
    intents = [one for one in kiosk.journal.open_effects() if one.seq in seqs and one.act == "note_intent"]
    return [one for one in intents if (one.facts or {}).get("note") in notes]


def _stake(kiosk: StaffKiosk, case: OpenCase, story: Sequence[StoredEntry]) -> Stake:
    facts = [entry.facts or {} for entry in story]
    cards = [str(one["card_number"]) for one in facts if one.get("card_number")]
    lost = [int(one.get("denomination_fen", 0)) for entry, one in zip(story, facts, strict=True) if entry.act == LOST]
    found = stake_of(case, cards[-1] if cards else "", Fen(sum(lost)) if lost else NOTHING, _aside(story))
    reserved, of_card = ended_by_people(story, NOTHING) is not None, waits_for_a_card(kiosk.journal, case.code)
    overtaken = kiosk.aside is not None and any(kiosk.aside.overtaken(key) for key in found.aside)
    return replace(found, reserved=reserved, of_card=of_card, overtaken=overtaken)


def _aside(story: Sequence[StoredEntry]) -> tuple[str, ...]:
    """Keys of notices of this case that wait for people."""
    found: dict[str, bool] = {}
    for entry in story:
        if entry.act.startswith("notice_"):
            found[str((entry.facts or {}).get("key"))] = entry.act == PUT_ASIDE
    return tuple(key for key, waits in found.items() if waits)


def _figures(parts: Sequence[Part], counter: str = "") -> tuple[Figure, ...]:
    """A row for each part: as a rule one, which stands on every page whole. Several were each seen before."""
    note = say("Proposed by {staff}", staff=counter) if counter else None
    first, *others = parts
    rows = [Figure(one.remedy.words, Amount(one.amount_fen), heading=True) for one in others]
    return (Figure(first.remedy.words, Amount(first.amount_fen), note, heading=True), *rows)
