"""Which cases hold residents' money is known without walking every journal, and by a restore again."""

from pathlib import Path

import peewee

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from provisioning.fleet.ledger import cases
from provisioning.fleet.ledger.desk import STORIES_MAX, open_cases
from provisioning.fleet.ledger.keep import keep_told
from provisioning.fleet.schema.ledger import CaseMoney
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
