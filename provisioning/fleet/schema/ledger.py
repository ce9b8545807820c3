"""Copies of every terminal's journal: only ever added to."""

import peewee

from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.places import Tenant


class Board(Row):
    """One chain: the journal of one board of a terminal. ``public_key`` in hex signs its heads.

    The board in service has ``replaced_ms`` None; a replaced one still takes rows, because its stick, its second medium
    or receipts may turn up later. ``seq`` and ``link`` are the end of the unbroken chain.
    """

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal_id = peewee.CharField(16, index=True)
    public_key = peewee.CharField(64)
    seq = peewee.BigIntegerField(default=0)
    link = peewee.CharField(64)
    first_seen_ms = peewee.BigIntegerField()
    heard_ms = peewee.BigIntegerField(default=0)
    replaced_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("terminal_id", "public_key"), True),)


class KeptRow(Row):
    """A row as it stands in the journal; ``sealed`` in base64, only the custodians can open it."""

    board_id: int

    board = peewee.ForeignKeyField(Board, on_delete="RESTRICT")
    seq = peewee.BigIntegerField()
    at = peewee.CharField(40)
    act = peewee.CharField(80)
    case_code = peewee.CharField(12)
    card_index = peewee.CharField(64)
    period = peewee.CharField(7)
    postings = peewee.CharField(400)
    sealed = peewee.TextField()
    link = peewee.CharField(64)

    class Meta:
        primary_key = peewee.CompositeKey("board", "seq")
        indexes = ((("board", "case_code"), False), (("card_index",), False))


class KeptPeriod(Row):
    """A month's sealing key, wrapped to the custodians' key, base64."""

    board = peewee.ForeignKeyField(Board, on_delete="RESTRICT")
    period = peewee.CharField(7)
    wrapped = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("board", "period")


class PaperRow(Row):
    """A row that a receipt's code brought; ``code`` is the text as read, signed by its board."""

    board = peewee.ForeignKeyField(Board, on_delete="RESTRICT")
    seq = peewee.BigIntegerField()
    link = peewee.CharField(64)
    code = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("board", "seq")


class CaseMoney(Row):
    """Residents' money that a case still holds at its terminal, one row an account; gone once it is at zero. So what is
    open is asked without walking every journal. ``at``: of the case's first row that moved any."""

    board_id: int

    board = peewee.ForeignKeyField(Board, on_delete="RESTRICT")
    case_code = peewee.CharField(12)
    account = peewee.CharField(24)
    fen = peewee.BigIntegerField()
    at = peewee.CharField(40)

    class Meta:
        primary_key = peewee.CompositeKey("board", "case_code", "account")


class CountedBoards(Row):
    """How far a table that is made from kept rows was made from those of before: boards up to number ``up_to``."""

    what = peewee.CharField(24, primary_key=True)
    up_to = peewee.BigIntegerField()


class LedgerAlert(Row):
    """What a person must look at: a gap, a row that differs, a head that nobody signed. Told once each."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal_id = peewee.CharField(16)
    seq = peewee.BigIntegerField()
    why = peewee.CharField(80)
    at_ms = peewee.BigIntegerField()
    settled_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("terminal_id", "seq", "why"), True),)


class Newcomer(Row):
    """A board that spoke as a terminal whose registered board is another one."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal_id = peewee.CharField(16)
    public_key = peewee.CharField(64)
    at_ms = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("terminal_id", "public_key")
