"""What was added to histories so that they reach what they judge: strikes, torn media, staff's hands, a second cut."""

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.domain.ledger import LedgerBatch
from offline_queue.copies import open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.second_medium import SecondMedium
from simulators.deterministic.fuse import Fuse, PowerCut
from simulators.deterministic.history import Limits, live_history
from simulators.deterministic.hosts import Network
from simulators.deterministic.media import Media, _TornMedium
from simulators.deterministic.office import Hands, staff_office
from simulators.deterministic.strikes import LABELS, STRIKES
from simulators.deterministic.terminal import MORNING
from simulators.deterministic.tills import FITTINGS
from simulators.hosts.medium_files import read_medium

SEEDS = range(1, 13)


def test_a_strike_meets_the_next_message_of_its_label_once() -> None:
    """However late it comes; another label passes, and so does the message after."""
    network = Network(random.Random(1))
    network.strikes["2207"] = [lambda: "lose_answer"]
    assert [network.struck(one) for one in ("2206", "2207", "2207")] == ["", "lose_answer", ""]
    assert network.happened == {"lose_answer": 1}


def test_every_label_can_be_struck_on_its_way_there_and_back() -> None:
    """Two strikes for each message that matters, and one of another terminal."""
    assert len(STRIKES) == 2 * len(LABELS) + 1


def test_an_id_of_the_platform_is_for_one_message() -> None:
    """The very same message may be told again; another one by its id is noticed."""
    network = Network(random.Random(1))
    for body in (b'{"msgid": "1", "infno": "2206", "input": 1}', b'{"msgid": "1", "infno": "2206", "input": 1}'):
        network.says("medical_insurance", body)
    assert network.ids_twice == []
    network.says("medical_insurance", b'{"msgid": "1", "infno": "2207", "input": 2}')
    assert network.ids_twice == ["1 (2207)"]


@pytest.mark.parametrize("fitting", sorted({one.__name__: one for one in FITTINGS}.items()), ids=lambda one: one[0])
def test_what_staff_take_out_of_the_box_is_in_their_bag(fitting: tuple[str, object]) -> None:
    """Machine and bag together hold what the machine held; the count of stacked notes knows no exchange."""
    make = next(one for one in FITTINGS if one.__name__ == fitting[0])
    till = make()
    till.acceptor.box += [100, 20, 20]
    before, stacked = till.inside_yuan, till.notes_in
    hands = Hands(till, lambda what: None)
    hands.take_box()
    hands.put_box_in()
    assert hands.bag == Counter({100: 1, 20: 2})
    assert (till.inside_yuan + hands.carried_yuan, till.notes_in) == (before, stacked)


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    made = SqliteJournal(tmp_path / "data", lambda: datetime(2026, 11, 23, tzinfo=UTC))
    for _ in range(5):
        made.record("visit_opened")
    return made


def test_what_the_power_tore_is_written_anew(tmp_path: Path, journal: SqliteJournal) -> None:
    """The power goes in the middle of a write: the medium holds whole heads only, and goes on from the last one."""
    fuse = Fuse(left=1, armed=True)
    media = Media(tmp_path, staff_office(MORNING), random.Random(7), fuse)
    copies = open_copies(tmp_path / "data")
    real = SecondMedium(media.medium, "T0000001", copies.public_key, 1 << 20)
    torn = _TornMedium(media, real, random.Random(7), fuse)
    torn.append(_batch(copies.after(0, 3, 1 << 20)), 0)
    with pytest.raises(PowerCut):
        torn.append(_batch(copies.after(3, 3, 1 << 20)), 0)
    later = SecondMedium(media.medium, "T0000001", copies.public_key, 1 << 20)
    assert later.newest() == 3
    later.append(_batch(copies.after(3, 3, 1 << 20)), 0)
    (path,) = media.medium.iterdir()
    assert [row.seq for row in read_medium(path).rows] == [1, 2, 3, 4, 5]
    copies.close()
    journal.close()


def _batch(found: LedgerBatch | None) -> LedgerBatch:
    assert found is not None
    return found


@pytest.mark.slow
def test_histories_reach_what_they_judge() -> None:
    """In a dozen of them staff come, money is given back or carried away, messages are struck, power goes twice, and
    some live on for years."""
    acts, faults, cuts = Counter[str](), Counter[str](), 0
    for seed in SEEDS:
        told = live_history(seed, Limits(only_money=True))
        assert told.violations == []
        acts, faults, cuts = acts + told.acts, faults + told.faults, cuts + told.power_cuts
    assert acts["staff_visit_opened"]
    assert acts["cash_box_exchanged"] or acts["refund_opened"] or acts["end_of_day"]
    assert sum(faults[one] for one in STRIKES) > len(SEEDS)
    assert cuts > len(SEEDS)
    assert acts["month_destroyed"]
