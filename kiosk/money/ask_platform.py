"""Acts of a day that has no detail yet, asked for one by one (5203). Found proves amounts; not found proves nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from kiosk.domain.settlement import Settlement, Treatment
from kiosk.domain.statement import Act, Comparison, Standing
from kiosk.money.platform_acts import PLATFORM_ACTS, judged_on, opens_at, platform_acts
from kiosk.money.reconcile import compare
from kiosk.ports import Journal
from kiosk.ports.money import MedicalInsurance

ASKED_MAX = 60  # the newest; who waits in front of the terminal does not wait for a whole day of a busy hall


async def ask_platform(journal: Journal, platform: MedicalInsurance, day: date) -> Comparison:
    """``open``: settled here, and not shown there now. Closes nothing and opens no case: that is for the detail.

    Raises:
        OutcomeUnknown, HostRefused: the platform does not say.
    """
    ours, theirs = [], []
    for act, treatment in list(_settled(journal, day))[-ASKED_MAX:]:
        found = await platform.find(treatment, act.key)
        ours.append(act if found else replace(act, standing=Standing.OPEN))
        theirs += [_booked(found)] if found else []
    return compare(ours, theirs)


def _settled(journal: Journal, day: date) -> Iterator[tuple[Act, Treatment]]:
    """What stands by our books, and how the platform finds it. What was undone since it would not show anyway."""
    entries = journal.since(opens_at(day), *PLATFORM_ACTS)
    acts = platform_acts(entries)
    undone = {act.about for _, act in acts.values() if act.undoing and act.standing is not Standing.UNDONE}
    for entry in entries:
        facts = entry.facts or {}
        if entry.act != "settle_intent" or judged_on(entry.at) != day:
            continue
        act = acts[str(facts["message_id"])][1]
        if act.standing is Standing.DONE and act.amounts and act.about not in undone:
            place = str(facts["insured_place"])
            yield act, Treatment(str(facts["person_number"]), place, str(facts["visit_number"]))


def _booked(found: Settlement) -> Act:
    split = found.split
    return Act(found.message_id, Standing.DONE, (split.total_fen, split.fund_fen, split.account_fen))
