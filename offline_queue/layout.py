"""What stands beside the tables: two views, and the way from an older file to this one.

``head`` and ``outbox_totals`` were tables that every commit wrote. They are views now, with the same columns: nothing
is written for them, and they cannot disagree with the rows. Their triggers let a program of the time before go on
writing them, so that an update can be taken back (money-rules 28); such a program also makes its two indexes anew, and
by these its rows are found again at the next start of ours.
"""

from collections.abc import Callable
from typing import Any

from kiosk.domain.entries import ONLY_WAIT

Sql = Callable[..., Any]

# Of the file as this program leaves it, and the oldest one whose program can still work with it: an update that could
# not be taken back is not installed (money-rules 28). 1: two tables that every commit wrote. 2: views. 3: refusals of
# notices. 4: periods of kinds. Whoever adds a way forward counts on; whoever breaks the way back says so here.
LAYOUT = 4
BACK_TO = 1

BLOCK_ROWS = 256

# By name, in SQLite's own spelling of their beginnings. A view belongs to the program, not to the file.
VIEWS = {
    "head": """CREATE VIEW head as
    select 1 as id, entry.seq, entry.link, coalesce(signed_head.signature, x'') as signature
    from (select seq, link from entry order by seq desc limit 1) as entry
    left join signed_head on signed_head.seq = entry.seq
    union all
    select 1, 0, zeroblob(32), x'' where not exists (select 1 from entry)""",
    "head_insert": "CREATE TRIGGER head_insert instead of insert on head begin select 1; end",
    "head_update": """CREATE TRIGGER head_update instead of update on head begin
    update signed_head set seq = new.seq, link = new.link, signature = new.signature where id = 1;
end""",
    "outbox_totals": """CREATE VIEW outbox_totals as
    with unsent(amount_fen, seq) as (
        select amount_fen, seq from notice where state = 'owed'
        union all select amount_fen, seq from notice where state = 'quarantined'),
    total(unsent_count, unsent_sum_fen, oldest) as (select count(*), coalesce(sum(amount_fen), 0), min(seq) from unsent)
    select 1 as id, unsent_count, unsent_sum_fen, coalesce((select at from entry where seq = oldest), '') as oldest_at,
        (select count(*) from effect) as open_effects
    from total""",
    "totals_insert": "CREATE TRIGGER totals_insert instead of insert on outbox_totals begin select 1; end",
    "totals_update": "CREATE TRIGGER totals_update instead of update on outbox_totals begin select 1; end",
}

# What an update waits for (money-rules 28): notes of a visit that are inside, and effects, but those that only wait.
# Asked of the tables, which every program of before has, too.
UNDER_WAY = f"""
    select (select count(*) from purse) + (select count(*) from effect join entry using (seq)
        where act not in ({", ".join(f"'{act}'" for act in ONLY_WAIT)}))
"""  # noqa: S608 - constants

# Of the blocks that hold a case or a card, every row; the caller says which rows of them it means.
ROWS_OF = f"""
    select entry.* from found join entry on entry.seq >= block * {BLOCK_ROWS} and entry.seq < (block + 1) * {BLOCK_ROWS}
    where found.word = ?
"""  # noqa: S608 - constants

_FROM_TABLES_TO_VIEWS = """
alter table entry add column proof blob not null default x'';
create table signed_head(
    id integer not null primary key, seq integer not null, link blob not null, signature blob not null
);
insert into signed_head select id, seq, link, signature from head;
drop table head;
drop table outbox_totals;
"""
_FIND_AGAIN = f"""
create table if not exists found(word text not null, block integer not null, primary key(word, block)) without rowid;
insert or ignore into found select case_code, seq / {BLOCK_ROWS} from entry where case_code != '';
insert or ignore into found select card_index, seq / {BLOCK_ROWS} from entry where card_index != '';
drop index if exists entry_case;
drop index if exists entry_card;
"""  # noqa: S608 - constants
# Told apart by state since: an older program makes its own again, and at our next start it goes.
_ONE_INDEX = "drop index if exists notice_waiting"
_PUT_ASIDE = """
alter table notice add column refusals integer not null default 0;
alter table notice add column reason text not null default '';
drop index if exists notice_owed;
"""


def make_views(sql: Sql) -> None:
    """As this program has them. Where they are already, nothing is written: a start waits for no flush."""
    if dict(sql("select name, sql from sqlite_master where type in ('view', 'trigger')")) == VIEWS:
        return
    sql("begin immediate")
    try:
        sql("drop view if exists head; drop view if exists outbox_totals")  # their triggers go with them
        for made in VIEWS.values():
            sql(made)
    except BaseException:
        sql("rollback")
        raise
    sql("commit")


def bring_up_to_date(sql: Sql) -> None:
    """Turn an older file, or one that an older program wrote to, into today's. A new file is left alone.

    One transaction: a power cut leaves the file as it was. A million rows take some seconds, once.
    """
    known = dict(sql("select name, type from sqlite_master where name in ('head', 'entry_case', 'notice')"))
    if not known:
        return
    sql("begin immediate")
    try:
        if known.get("head") == "table":
            sql(_FROM_TABLES_TO_VIEWS)
        if "entry_case" in known:
            sql(_FIND_AGAIN)
        if "refusals" not in {name for _, name, *_ in sql("pragma table_info(notice)")}:
            sql(_PUT_ASIDE)
        sql(_ONE_INDEX)
    except BaseException:
        sql("rollback")
        raise
    sql("commit")
