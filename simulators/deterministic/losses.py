"""Loss reports and their withdrawals (挂失, 解挂): at the platform stands what the holder was told last."""

from collections.abc import Iterator

from kiosk.domain.entries import StoredEntry
from kiosk.services.take_back_loss import QUEUED, TAKEN_BACK
from simulators.deterministic.terminal import Life
from simulators.hosts.loss_reports import LossBook

INTENTS = ("loss_report_intent", "loss_withdrawal_intent")
REPORTED, WITHDRAWN = "loss_reported", "loss_withdrawn"
TOLD_OF = {REPORTED: True, QUEUED: True, WITHDRAWN: False, TAKEN_BACK: False}  # whether a report stands from then on


def losses_stand_as_told(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Of each card the newest thing that its holder was told. Of an intent that reached the platform and has no outcome
    nobody was told anything: then either is right."""
    book: LossBook = life.terminal.hosts["card_platform"].losses
    card_of = dict([*book.reports(), *book.lifts()])
    stands: dict[str, bool | None] = {}
    waits = life.books.unsent().count
    for entry in entries:
        if entry.act not in TOLD_OF and entry.act not in INTENTS:
            continue
        facts = entry.facts or {}
        key = str(facts["withdrawal" if entry.act == TAKEN_BACK else "key"])
        if TOLD_OF.get(entry.act) is False and key not in card_of and not (entry.act == TAKEN_BACK and waits):
            yield f"{entry.act} in row {entry.seq}, and the platform never heard of it"
        card = card_of.get(key, str(facts.get("card_number", "")))
        stands[card] = TOLD_OF.get(entry.act)
    for card, told in stands.items():
        if card and told is not None and not waits and book.stands(card) is not told:
            yield f"a card is {'not ' if told else ''}reported as lost, and its holder was told otherwise"
