"""Which cases hold residents' money is known without walking every journal, and by a restore again."""

from pathlib import Path

import peewee
import pytest

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from provisioning.fleet.chores import Chores
from provisioning.fleet.ledger import cases
from provisioning.fleet.ledger.desk import STORIES_MAX, open_cases
from provisioning.fleet.ledger.keep import keep_told
from provisioning.fleet.schema import TABLES
from provisioning.fleet.schema.ledger import Board, CaseMoney, CountedBoards
from tests.fleet.conftest import CITY
from tests.fleet.terminals import add_terminal
from tests.fleet.test_ledger import AT_MS, LINE, OFFICER, TERMINAL, Village


def live(village: Village, code: str, paid: bool) -> None:
    """A note comes in; where it is ``paid`` it becomes the hospital's."""
    taken = balanced((Account.CASH_BOX, 1000), (Account.RESIDENT, -1000))
    village.journal.commit(NewEntry("note_credited", code, {}, "T00000131", taken))
    if paid:
        booked = balanced((Account.RESIDENT, 1000), (Account.HOSPITAL, -1000))
        village.journal.commit(NewEntry("settled", code, {}, "T00000131", booked))


def tell(village: Village) -> None:
    """Everything since the last time, once more from the beginning: rows that are known count once."""
    for first in range(0, village.copies.newest(), 50):
        keep_told(LINE, TERMINAL, village.told(first, 50), AT_MS)


def test_only_what_is_open_is_kept_and_counted_anew(database: peewee.Database, tmp_path: Path) -> None:
    """A hundred visits that ended leave nothing; the one that did not is found, told twice or counted anew."""
    add_terminal(TERMINAL, CITY, "0A")
    village = Village(tmp_path)
    for number in range(100):
        live(village, f"{number:06d}", paid=number != 57)
    tell(village)
    tell(village)
    village.journal.close()
    assert [(one.case_code, one.account, one.fen) for one in CaseMoney.select()] == [("000057", "resident", -1000)]
    CaseMoney.delete().execute()
    cases.count_anew()
    (story,) = open_cases(OFFICER)
    assert (story.case_code, story.owed, len(story.acts)) == ("000057", {"resident": 1000}, 1)


def test_the_list_ends(database: peewee.Database, tmp_path: Path) -> None:
    """A city with more open cases than anybody reads shows the oldest ones."""
    add_terminal(TERMINAL, CITY, "0A")
    village = Village(tmp_path)
    for number in range(STORIES_MAX + 7):
        live(village, f"{number:06d}", paid=False)
    tell(village)
    village.journal.close()
    found = open_cases(OFFICER, [TERMINAL])
    assert len(found) == STORIES_MAX == len({one.case_code for one in found})


@pytest.mark.parametrize("knew", ["nothing", "only what came since"])
def test_a_database_of_before_is_counted_once(database: peewee.Database, tmp_path: Path, knew: str) -> None:
    """It has rows and no table of open cases, or one that began in between. The server counts by itself, goes on where
    it was, and then leaves what it counted alone; what comes meanwhile counts once."""
    add_terminal(TERMINAL, CITY, "0A")
    village = Village(tmp_path)
    for number in range(3):
        live(village, f"{number:06d}", paid=number != 1)
    live(village, "000003", paid=False)
    tell(village)
    if knew == "nothing":
        database.drop_tables([CaseMoney, CountedBoards])
        database.create_tables(TABLES, safe=True)  # as every start does
    else:
        CaseMoney.delete().where(CaseMoney.case_code == "000001").execute()
    (counting,) = [one for one in Chores(lambda: AT_MS).all() if one.name == "counting"]
    assert Chores(lambda: AT_MS).do_once(counting)
    assert [story.case_code for story in open_cases(OFFICER)] == ["000001", "000003"]
    live(village, "000004", paid=False)
    tell(village)
    village.journal.close()
    CaseMoney.delete().where(CaseMoney.case_code == "000003").execute()
    assert cases.count_older() == 0
    assert [story.case_code for story in open_cases(OFFICER)] == ["000001", "000004"]


def test_what_was_not_counted_goes_on_after_a_restart(database: peewee.Database) -> None:
    """A few boards at a time, each once; a board that joined since is counted too."""
    for number in range(5):
        Board.create(tenant=CITY, terminal_id=f"T{number}", public_key="00", link="", first_seen_ms=0)
    assert [cases.count_older(2) for _ in range(4)] == [2, 2, 1, 0]
    Board.create(tenant=CITY, terminal_id="T9", public_key="00", link="", first_seen_ms=0)
    assert [cases.count_older(2) for _ in range(2)] == [1, 0]
