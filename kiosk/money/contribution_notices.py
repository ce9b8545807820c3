"""Contributions received, told to the agency when nobody is here any more: credited, or owed to the holder."""

from collections.abc import Awaitable, Callable, Collection

from kiosk.domain.entries import OwedNotice
from kiosk.money.contributions import ACT, FINAL, book_late, outcome_known, tell_contribution
from kiosk.money.debts import AGENCY
from kiosk.ports import Clock, HostRefused, Journal, OutcomeUnknown, SocialInsurance


def contribution_notices(
    insurance: SocialInsurance, journal: Journal, clock: Clock, live: Callable[[], Collection[str]]
) -> dict[tuple[str, str], Callable[[OwedNotice], Awaitable[object]]]:
    """For ``kiosk.forwarder.notices``.

    ``live``: of ``open_visit``; what becomes of its contribution a visit books itself.
    """

    async def contribution(notice: OwedNotice) -> None:
        facts = notice.facts
        goes_on = str(facts["case"]) in live()  # asked first: of a visit that has ended all is read then
        if outcome_known(journal, facts):
            return
        if goes_on:
            raise OutcomeUnknown(AGENCY, "its visit goes on")
        try:
            number = await tell_contribution(insurance, facts)
        except HostRefused as refusal:
            if refusal.code not in FINAL:
                raise  # three times, and then it waits for a person
            book_late(journal, clock, facts, code=refusal.code)
        else:
            book_late(journal, clock, facts, number=number)

    return {(AGENCY, ACT): contribution}
