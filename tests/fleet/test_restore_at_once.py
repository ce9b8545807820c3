"""After a restore, two who ask in the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from urllib.parse import quote

import peewee

from provisioning.fleet.actor import Actor
from provisioning.fleet.city_key import city_keys, city_signer
from provisioning.fleet.database import step
from provisioning.fleet.epoch.acts import begin_reconciling
from provisioning.fleet.epoch.memo import hear
from provisioning.fleet.epoch.readopt import readopt
from provisioning.fleet.schema.terminals import Certificate
from provisioning.rules.epoch import MEMO_KIND
from tests.fleet.conftest import CITY
from tests.fleet.test_restore import START_MS, Province


def test_a_stolen_certificate_waits_for_the_memo_that_is_being_heard_refused(
    database: peewee.Database, tmp_path: Path
) -> None:
    """The thief asks in the very moment in which another terminal brings the memo: it finds what the memo says."""
    province = Province(tmp_path)
    province.begins()
    one, thief = province.enrols(1), province.enrols(2)
    Certificate.delete().where(Certificate.serial == thief.serial).execute()
    begin_reconciling("person:operator", START_MS, START_MS)
    content = {"tenant": CITY, "audit_seq": 0, "audit_link": "", "desired_version": 0, "revoked": [thief.serial]}
    wire = city_signer(province.home, CITY).signed(MEMO_KIND, 9, province.now, province.now, content)
    asked = threading.Event()

    def asks() -> Certificate | None:
        asked.set()
        try:
            return readopt(thief.serial, quote(thief.pem), START_MS)
        finally:
            database.close()

    with ThreadPoolExecutor(1) as pool:
        with step():
            assert hear(Actor(CITY, f"terminal:{one.terminal_id}"), wire, city_keys(province.home, CITY), START_MS)
            answer = pool.submit(asks)
            assert asked.wait(5)
            wait([answer], timeout=0.3)  # time enough to get by, where nothing held it
        assert answer.result(20) is None
    assert Certificate.get_or_none(Certificate.serial == thief.serial) is None
