"""What every table shares. Times are whole milliseconds of UTC in columns named ``..._ms``; sums are whole fen."""

import json
from collections.abc import Iterator
from typing import Any

import peewee

proxy = peewee.DatabaseProxy()


Asked = peewee.Database | peewee.DatabaseProxy | None


class _WholeSelect(peewee.ModelSelect):
    """Read to its end before anybody acts on its first row. A question that stands open keeps the state of when it was
    asked, and SQLite refuses whatever its connection writes meanwhile at once, however long it may wait, as soon as
    anybody else wrote. Whoever wants more rows than memory should hold says ``iterator()``, and writes nothing beside.
    """

    def execute(self, database: Asked = None) -> Any:
        rows = super().execute(database)
        rows.fill_cache()
        return rows

    def iterator(self, database: Asked = None) -> Iterator[Any]:
        rows: Iterator[Any] = super().execute(database).iterator()
        return rows


class Row(peewee.Model):
    """One database for all of them, chosen at start (``provisioning.fleet.database``)."""

    # peewee makes these: where no other primary key is named, and where a column points to a city.
    id: Any
    tenant_id: Any

    @classmethod
    def select(cls, *fields: Any) -> Any:
        """As the library's own, but whole."""
        return _WholeSelect(cls, fields or cls._meta.sorted_fields, is_default=not fields)

    class Meta:
        database = proxy
        legacy_table_names = False


class JsonField(peewee.TextField):
    """JSON as text, the same in SQLite and PostgreSQL; nothing is ever searched inside it."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)
