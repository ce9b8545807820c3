"""A certificate that was given after the backup, once the fleet knows it again: renewed like every other one."""

from pathlib import Path

import peewee
import pytest

from provisioning.fleet import ca
from provisioning.fleet.actor import Actor
from provisioning.fleet.enrolment.roll_over import SPREAD_MS, retire
from provisioning.fleet.epoch.acts import begin_reconciling
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.rules.enrolment import renewal_ms
from tests.fleet.conftest import CITY
from tests.fleet.test_restore import START_MS, Carried, Province

DAY_MS = 86_400_000


@pytest.fixture
def province(database: peewee.Database, tmp_path: Path) -> Province:
    made = Province(tmp_path)
    made.begins()
    return made


def known_again(province: Province) -> tuple[Carried, Certificate]:
    """The backup is older than this terminal; it asks, and is answered."""
    one = province.enrols(1)
    Certificate.delete().where(Certificate.serial == one.serial).execute()
    Terminal.delete().where(Terminal.terminal_id == one.terminal_id).execute()
    begin_reconciling("person:operator", START_MS, START_MS)
    province.refresh()
    assert province.polls(one) == 200
    return one, Certificate.get_by_id(one.serial)


def told_to_renew(province: Province, one: Carried) -> bool:
    path = f"/{CITY}/terminal/v1/{one.terminal_id}/poll"
    return bool(province.client.post(path, province._shown(one), told={}).json().get("renew_certificate"))


def test_it_is_renewed_in_its_time(province: Province) -> None:
    """At two thirds of its life by its own number, not a month before its end, however long that life is."""
    one, row = known_again(province)
    assert (row.issuer, row.renew_ms) == ("first", renewal_ms(row.not_before_ms, row.not_after_ms, one.serial))
    province.at_ms = row.renew_ms - DAY_MS
    province.refresh()
    assert not told_to_renew(province, one)
    province.at_ms = row.renew_ms + 1
    province.refresh()
    assert told_to_renew(province, one)


def test_it_is_renewed_when_its_authority_is_retired(province: Province) -> None:
    """Whoever follows that authority finds it among those that it gave."""
    one, row = known_again(province)
    ca.add(province.home, "second", province.now)
    assert retire(Actor(CITY, "person:operator"), province.home, "first", province.at_ms) == 1
    province.at_ms += SPREAD_MS
    assert province.at_ms < row.renew_ms
    province.refresh()
    assert told_to_renew(province, one)


def test_an_authority_that_is_not_ours_has_no_name_here(province: Province) -> None:
    """Whatever its certificate says of where it comes from."""
    ours = ca.issuing(province.home).certificate
    assert ca.name_of(ours) == "first"
    assert ca.name_of(ca._self_signed("../first", ca.issuing(province.home).key(), province.now, 1)) == ""
