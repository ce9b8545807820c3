"""A fleet that forgot a trust list hears from its terminals' memo which one they believe."""

from pathlib import Path
from typing import Any

import peewee

from provisioning.fleet.epoch.acts import begin_reconciling
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.trust import TrustList
from provisioning.fleet.trust.acts import draft, publish
from provisioning.rules.epoch import read_memo
from tests.fleet.conftest import CITY
from tests.fleet.test_restore import START_MS, Province, city_keys, signed_by


def heard(province: Province) -> dict[str, Any]:
    """What stands on the trail once a terminal has brought its memo after a restore."""
    begin_reconciling("person:operator", START_MS, START_MS)
    Tenant.update(memo=0).where(Tenant.code == CITY).execute()
    province.refresh()
    province.polls(province.terminals[0])
    row = AuditRow.get((AuditRow.tenant == CITY) & (AuditRow.act == "memo_heard"))
    return dict(row.facts)


def test_a_list_that_is_younger_than_the_backup_is_named(database: peewee.Database, tmp_path: Path) -> None:
    """A new list makes a new memo at once. Restored to before it, the fleet's trail says which list must be given to it
    again, and up to which it has them."""
    province = Province(tmp_path)
    operator = province.begins()
    one = province.enrols(1)
    province.refresh()
    province.polls(one)
    before = one.memo
    publish(
        operator, province.home, signed_by(draft(operator, province.home, province.now), "first", "second"), START_MS
    )
    province.refresh()
    province.polls(one)
    keys = city_keys(province.home, CITY)
    assert [read_memo(wire, keys, CITY)[0].trust for wire in (before, one.memo)] == [0, 1]
    TrustList.delete().execute()
    facts = heard(province)
    assert (facts["trust"], facts["trust_here"]) == (1, 0)


def test_where_no_list_was_lost_none_is_named(database: peewee.Database, tmp_path: Path) -> None:
    """The backup has every list."""
    province = Province(tmp_path)
    operator = province.begins()
    one = province.enrols(1)
    publish(
        operator, province.home, signed_by(draft(operator, province.home, province.now), "first", "second"), START_MS
    )
    province.refresh()
    province.polls(one)
    assert "trust" not in heard(province)
