"""Reconciliation (对账) as a pure comparison: our acts against another side's detail. No IO, no clock, no order.

What is compared, and when, is ``run_reconciliation``; what becomes of it is ``close_proven`` and a person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from kiosk.domain.money import Fen
from kiosk.domain.statement import Act, Comparison, Difference, Finding, Standing


def compare(ours: Iterable[Act], theirs: Iterable[Act], beside: Iterable[Act] = ()) -> Comparison:
    """Every difference between two sides' books. ``ours`` has each key once. ``beside``: acts of ours that are judged
    with another day's detail, and only explain what is theirs.

    Whatever the order of either side, the result is the same.
    """
    mine, known = {act.key: act for act in ours}, {act.key: act for act in beside}
    other = _grouped(theirs)
    findings: list[Finding] = []
    for key in sorted(mine.keys() | (other.keys() - known.keys())):
        findings += _judge(key, mine.get(key), other.get(key, []), {**known, **mine})
    told = {finding.key for finding in findings}
    still_open = {key for key, act in mine.items() if act.standing is Standing.OPEN}
    return Comparison(len(mine.keys() - told - still_open), len(still_open), tuple(findings))


def _grouped(acts: Iterable[Act]) -> dict[str, list[Act]]:
    """By key; within one key in an order that does not depend on how they came."""
    found: dict[str, list[Act]] = {}
    for act in sorted(acts, key=_order):
        found.setdefault(act.key, []).append(act)
    return found


def _order(act: Act) -> tuple[str, str, tuple[Fen, ...], bool, str]:
    return act.key, act.standing.value, act.amounts, act.undoing, act.about


def _judge(key: str, act: Act | None, other: Sequence[Act], ours: Mapping[str, Act]) -> Iterator[Finding]:
    booked = [one for one in other if one.standing is Standing.DONE]
    if act is None:
        if booked:
            yield _of_nobody(key, booked, ours)
        return
    if act.standing is Standing.OPEN:
        return
    if act.standing is Standing.UNDONE:
        if booked:
            yield _finding(act, Difference.THERE_NOT_HERE, booked)
        return
    if not booked:
        yield _finding(act, Difference.UNDONE_THERE if other else Difference.HERE_NOT_THERE, booked)
        return
    if len(booked) > 1:
        yield _finding(act, Difference.TWICE_THERE, booked)
    if act.amounts and any(one.amounts and one.amounts != act.amounts for one in booked):
        yield _finding(act, Difference.AMOUNTS_DIFFER, booked)
    if not all(one.agreed for one in booked):
        yield _finding(act, Difference.HOSPITAL_DIFFERS, booked)


def _of_nobody(key: str, booked: Sequence[Act], ours: Mapping[str, Act]) -> Finding:
    """Booked there under a key that we never made: a void of something of ours, or nothing that we know."""
    undone = booked[0].about if booked[0].undoing else ""
    hit = [ours[name] for name in sorted(ours) if undone and ours[name].about == undone and not ours[name].undoing]
    difference = Difference.UNDONE_THERE if hit else Difference.THERE_NOT_HERE
    return Finding(key, difference, hit[0].case_code if hit else "", None, _sum(booked))


def _finding(act: Act, difference: Difference, booked: Sequence[Act]) -> Finding:
    return Finding(act.key, difference, act.case_code, _sum([act]), _sum(booked))


def _sum(acts: Sequence[Act]) -> Fen | None:
    """The first amount of each is its total."""
    known = [act.amounts[0] for act in acts if act.amounts]
    return Fen(sum(known)) if known else None
