"""Comparing two sides' books: agreeing books give nothing, a planted difference is found, in any order."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import Fen
from kiosk.domain.statement import Act, Difference, Standing
from kiosk.money.reconcile import compare

AMOUNTS = st.tuples(*[st.integers(0, 10**6).map(Fen)] * 3)
VOIDS = st.tuples(*[st.integers(-(10**6), -1).map(Fen)] * 3)


@st.composite
def books(draw: st.DrawFn) -> list[Act]:
    """What one side may have of a day: settlements and voids, done or surely not; never the same key twice."""
    keys = draw(st.lists(st.integers(0, 10**6).map(str), unique=True, max_size=12))
    made = []
    for key in keys:
        undoing = draw(st.booleans())
        amounts = draw(VOIDS if undoing else AMOUNTS)
        standing = draw(st.sampled_from([Standing.DONE, Standing.DONE, Standing.UNDONE]))
        made.append(Act(key, standing, amounts, undoing, f"visit-{key}", f"case-{key}"))
    return made


def detail_of(ours: list[Act]) -> list[Act]:
    """The other side's rows when it agrees: no case codes, and nothing of what was not booked."""
    return [replace(act, case_code="") for act in ours if act.standing is Standing.DONE]


@given(books())
def test_agreeing_books_have_no_finding(ours: list[Act]) -> None:
    """All of ours agree, none is open, nothing is told."""
    compared = compare(ours, detail_of(ours))
    assert compared.findings == ()
    assert (compared.agree, compared.open) == (len(ours), 0)


@given(books(), st.data())
def test_order_is_nothing(ours: list[Act], chance: st.DataObject) -> None:
    """Any permutation of either side, with differences planted, gives the same comparison."""
    theirs = detail_of(ours)[1:]
    theirs += [Act("unknown", Standing.DONE, (Fen(1), Fen(2), Fen(3))), *theirs[:1]]
    mixed = compare(chance.draw(st.permutations(ours)), chance.draw(st.permutations(theirs)))
    assert mixed == compare(ours, theirs)


@given(books(), AMOUNTS)
def test_what_only_they_booked_is_found(ours: list[Act], amounts: tuple[Fen, ...]) -> None:
    """One more row there than ours: exactly one finding, with its sum and no case of ours."""
    (finding,) = compare(ours, [*detail_of(ours), Act("unknown", Standing.DONE, amounts)]).findings
    assert (finding.difference, finding.case_code) == (Difference.THERE_NOT_HERE, "")
    assert (finding.ours_fen, finding.theirs_fen) == (None, amounts[0])


@given(books(), AMOUNTS, st.sampled_from(list(Standing)))
def test_what_we_booked_otherwise_is_found(ours: list[Act], amounts: tuple[Fen, ...], there: Standing) -> None:
    """Ours done and not there, or undone there: told under our case."""
    planted = Act("planted", Standing.DONE, amounts, False, "visit", "case")
    theirs = [Act("planted", Standing.UNDONE, amounts)] if there is Standing.UNDONE else []
    (finding,) = compare([*ours, planted], [*detail_of(ours), *theirs]).findings
    assert finding.difference is (Difference.UNDONE_THERE if theirs else Difference.HERE_NOT_THERE)
    assert finding.case_code == "case"


@given(books(), AMOUNTS)
def test_what_we_called_refused_and_they_booked_is_found(ours: list[Act], amounts: tuple[Fen, ...]) -> None:
    """The dangerous one: the resident was told that nothing was booked."""
    planted = Act("planted", Standing.UNDONE, (), False, "visit", "case")
    (finding,) = compare([*ours, planted], [*detail_of(ours), Act("planted", Standing.DONE, amounts)]).findings
    assert (finding.difference, finding.case_code) == (Difference.THERE_NOT_HERE, "case")


@given(books(), AMOUNTS, st.integers(0, 2), st.integers(1, 1000))
def test_another_amount_is_found(ours: list[Act], amounts: tuple[Fen, ...], which: int, more: int) -> None:
    """Whichever of the amounts differs, by a fen or a thousand."""
    other = [*amounts]
    other[which] = Fen(other[which] + more)
    planted = Act("planted", Standing.DONE, amounts, False, "visit", "case")
    (finding,) = compare([*ours, planted], [*detail_of(ours), Act("planted", Standing.DONE, tuple(other))]).findings
    assert finding.difference is Difference.AMOUNTS_DIFFER
    assert (finding.ours_fen, finding.theirs_fen) == (amounts[0], other[0])


@given(books(), AMOUNTS)
def test_booked_twice_is_found(ours: list[Act], amounts: tuple[Fen, ...]) -> None:
    """A platform that books a repeated message again, and a hospital that disagrees with it."""
    planted = Act("planted", Standing.DONE, amounts, False, "visit", "case")
    told = compare([*ours, planted], [*detail_of(ours), planted, replace(planted, agreed=False)]).findings
    assert {finding.difference for finding in told} == {Difference.TWICE_THERE, Difference.HOSPITAL_DIFFERS}


@given(books(), AMOUNTS)
def test_a_void_of_nobody_tells_whose_settlement_it_hits(ours: list[Act], amounts: tuple[Fen, ...]) -> None:
    """Undone there under a key that is not ours: the case is that of the visit."""
    planted = Act("planted", Standing.DONE, amounts, False, "visit", "case")
    void = Act("window", Standing.DONE, (Fen(-amounts[0]), Fen(0), Fen(0)), True, "visit")
    (finding,) = compare([*ours, planted], [*detail_of([*ours, planted]), void]).findings
    assert (finding.difference, finding.case_code) == (Difference.UNDONE_THERE, "case")
    (beside,) = compare(ours, [*detail_of(ours), void], [planted]).findings
    assert beside == finding


@given(books(), AMOUNTS)
def test_what_is_open_waits_and_what_is_of_another_day_is_none(ours: list[Act], amounts: tuple[Fen, ...]) -> None:
    """Neither a finding nor an agreement; acts of the day beside explain their rows and nothing more."""
    planted = Act("planted", Standing.OPEN, (), False, "visit", "case")
    beside = Act("beside", Standing.DONE, amounts)
    compared = compare([*ours, planted], [*detail_of(ours), beside], [beside])
    assert compared.findings == ()
    assert (compared.agree, compared.open) == (len(ours), 1)
