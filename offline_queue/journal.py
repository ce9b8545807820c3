"""The journal: append an act, durable on return, chained by hash to everything before it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from offline_queue.schema import Act, Notice, open_database
from offline_queue.sealing import Sealer

GENESIS = b"\0" * 32


class SqliteJournal:
    """Implements ``ports.Journal`` on ``journal.db`` in the terminal's data directory.

    Raises at construction:
        JournalUnusable, OSError: the kiosk must not start.
    """

    def __init__(self, data_dir: Path, now: Callable[[], datetime]) -> None:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._database = open_database(data_dir / "journal.db")
        self._sealer = Sealer.at(data_dir / "journal.key")
        self._now = now

    def close(self) -> None:
        self._database.close()

    def record(self, act: str, case_code: str = "", /, **facts: str | int) -> int:
        with self._database.atomic("IMMEDIATE"):
            return self._append(act, case_code, facts)

    def owe_notice(self, host: str, act: str, key: str, /, **facts: str | int) -> None:
        with self._database.atomic("IMMEDIATE"):
            seq = self._append("notice_owed", "", {"host": host, "notice": act, "key": key})
            sealed = self._sealer.seal(canonical(facts), key)
            Notice.create(seq=seq, host=host, act=act, key=key, sealed=sealed)

    def _append(self, act: str, case_code: str, facts: Mapping[str, str | int]) -> int:
        last = Act.select(Act.link).order_by(Act.seq.desc()).first()
        at = self._now().isoformat(timespec="milliseconds")
        body = canonical(dict(facts)).decode()
        link = chain(bytes(last.link) if last else GENESIS, at, act, case_code, body)
        row = Act.create(at=at, act=act, case_code=case_code, facts=body, link=link)
        return int(row.seq)

    def case_code_known(self, code: str) -> bool:
        return bool(Act.select().where(Act.case_code == code).exists())

    def acts(self) -> list[tuple[int, str, str, dict[str, str | int]]]:
        """(seq, act, case code, facts) of every row, in order."""
        return [(row.seq, row.act, row.case_code, json.loads(row.facts)) for row in Act.select().order_by(Act.seq)]

    def broken_link(self) -> int | None:
        """``seq`` of the first row that does not follow from the rows before it, or None."""
        link = GENESIS
        for row in Act.select().order_by(Act.seq).iterator():
            link = chain(link, row.at, row.act, row.case_code, row.facts)
            if link != bytes(row.link):
                return int(row.seq)
        return None

    # Notices owed to hosts.

    def next_notice(self) -> "OwedNotice | None":
        """The oldest notice that is still owed.

        Raises:
            SealBroken: the file was tampered with.
        """
        row = Notice.select().where(Notice.state == "owed").order_by(Notice.seq).first()
        if row is None:
            return None
        return OwedNotice(
            row.host, row.act, row.key, row.tries, json.loads(self._sealer.open(bytes(row.sealed), row.key))
        )

    def notice_ended(self, key: str, state: str) -> None:
        """``state``: "told" or "refused". The sealed content is destroyed with the commit."""
        assert state in ("told", "refused")
        with self._database.atomic("IMMEDIATE"):
            Notice.update(state=state, sealed=b"").where(Notice.key == key).execute()
            self._append(f"notice_{state}", "", {"key": key})

    def notice_unanswered(self, key: str) -> None:
        with self._database.atomic("IMMEDIATE"):
            Notice.update(tries=Notice.tries + 1).where(Notice.key == key).execute()

    def notices_owed(self) -> int:
        return int(Notice.select().where(Notice.state == "owed").count())


class OwedNotice:
    """A notice taken out of the queue to be sent; still owed until ``notice_ended``."""

    def __init__(self, host: str, act: str, key: str, tries: int, facts: dict[str, str | int]) -> None:
        self.host = host
        self.act = act
        self.key = key
        self.tries = tries
        self.facts = facts


def canonical(facts: Mapping[str, str | int]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def chain(before: bytes, at: str, act: str, case_code: str, facts: str) -> bytes:
    """SHA-256 over the row before and this row's fields, each with its length in front."""
    digest = hashlib.sha256(before)
    for field in (at, act, case_code, facts):
        encoded = field.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.digest()
