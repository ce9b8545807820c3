"""What every table shares. Times are whole milliseconds of UTC in columns named ``..._ms``; sums are whole fen."""

import json
from typing import Any

import peewee

proxy = peewee.DatabaseProxy()


class Row(peewee.Model):
    """One database for all of them, chosen at start (``provisioning.fleet.database``)."""

    # peewee makes these: where no other primary key is named, and where a column points to a city.
    id: Any
    tenant_id: Any

    class Meta:
        database = proxy
        legacy_table_names = False


class JsonField(peewee.TextField):
    """JSON as text, the same in SQLite and PostgreSQL; nothing is ever searched inside it."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)
