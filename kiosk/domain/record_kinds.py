"""Kinds of records, by how long they must be readable here (money-rules 29), and the names of what seals them.

Each kind has a sealing key of its own each month. An act that is named nowhere here belongs to ``MONEY``, which goes
last: forgetting one here keeps it longer, never shorter. What belongs to money stays with it whoever looks at it.

A period, which is what one key seals, is named by year and a number of two digits: the month of ``MONEY``, and twelve
more for each kind after it. To a program that knows no kinds, to ledgers and to bundles that is a month like others: it
reads every row, and thinks the shorter-lived ones younger than they are, so that it destroys nothing too soon.
"""

from collections.abc import Mapping

MONEY, VISIT, CERTIFICATE, CARD = "money", "visit", "certificate", "card"
KINDS = (MONEY, VISIT, CERTIFICATE, CARD)  # the place is part of the file's names: only ever add at the end
_MONTHS = 12
_ACTS = {
    VISIT: (
        "visit_opened",
        "visit_closed",
        "service_ended",
        "pin_entered",
        "card_not_served",
        "card_state_unknown",
        "account_from_chip",
        "paper_left",
        "paper_perhaps_left",
    ),
    CERTIFICATE: ("certificate_asked", "certificate_checked", "certificate_printed", "certificate_unknown"),
    CARD: (
        "pin_change_started",
        "pin_change_ended",
        "loss_report_intent",
        "loss_report_refused",
        "loss_report_queued",
        "loss_report_taken_back",
        "loss_reported",
        "loss_withdrawal_intent",
        "loss_withdrawal_refused",
        "loss_withdrawn",
    ),
}
_KIND_OF = {act: kind for kind, acts in _ACTS.items() for act in acts}


def kind_of_act(act: str) -> str:
    return _KIND_OF.get(act, MONEY)


def retention_rules(keep_months: int, of: Mapping[str, int]) -> list[tuple[bool, str]]:
    """What must hold of these two settings of ``journal``: whole months after its own, 0 for ever. Not fewer than
    three: what was is still compared and counted."""
    fit = all(months == 0 or 3 <= months < 1200 for months in (keep_months, *of.values()))
    return [
        (fit, "journal.keep_months and keep_months_of are 0 or from 3 on"),
        (set(of) <= set(KINDS), "journal.keep_months_of names " + ", ".join(KINDS)),
    ]


def keep_months_by_kind(keep_months: int, of: Mapping[str, int]) -> dict[str, int]:
    """Of every kind: its own time, else that of all."""
    return {kind: of.get(kind, keep_months) for kind in KINDS}


def period_name(month: str, kind: str) -> str:
    """``month``: ``YYYY-MM``."""
    return f"{month[:5]}{int(month[5:]) + _MONTHS * KINDS.index(kind):02d}"


def month_of(period: str) -> str:
    return f"{period[:5]}{(int(period[5:]) - 1) % _MONTHS + 1:02d}"


def kind_of_period(period: str) -> str:
    """``MONEY`` where a newer program has kinds that this one does not know."""
    place = (int(period[5:]) - 1) // _MONTHS
    return KINDS[place] if place < len(KINDS) else MONEY
