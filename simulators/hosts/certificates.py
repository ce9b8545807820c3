"""The agency's archive of certificates: number, check code, hash, content and the sealed document itself."""

import hashlib
import sqlite3
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import msgspec

from simulators.hosts.sandbox import Refusal
from simulators.hosts.sheet import Sheet
from simulators.pki import Pki
from simulators.worlds.world import Resident, World

DAYS_VALID = 90  # three months from print, as in Qingdao; a rights record has no end
_SCHEMA = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS certificates (
        serial INTEGER PRIMARY KEY, key TEXT UNIQUE, number TEXT UNIQUE, check_code TEXT, kind TEXT, holder TEXT,
        issued_on TEXT, valid_until TEXT, verify_at TEXT, sha256 TEXT, content TEXT, pdf BLOB
    )
"""


@dataclass(frozen=True)
class Certificate:
    number: str
    kind: str
    holder: str
    issued_on: str
    valid_until: str | None
    verify_at: str
    sha256: str


def open_archive(directory: Path) -> sqlite3.Connection:
    """The archive that the agency writes and the public page reads."""
    directory.mkdir(parents=True, exist_ok=True)
    archive = sqlite3.connect(directory / "certificates.sqlite", check_same_thread=False, isolation_level=None)
    archive.executescript(_SCHEMA)
    return archive


class Issuer:
    """Composes, seals, files. Not safe for two threads at once: its sandbox answers one question at a time."""

    def __init__(self, archive: sqlite3.Connection, world: World, pki: Pki, directory: Path, verify_base: str) -> None:
        self._archive = archive
        self._world = world
        self._pki = pki
        self._directory = directory
        self._verify_base = verify_base

    def close(self) -> None:
        self._archive.close()

    def issued(self) -> list[tuple[str, str, str]]:
        return self._archive.execute("SELECT number, kind, sha256 FROM certificates ORDER BY serial").fetchall()

    def document(self, number: str) -> bytes | None:
        row = self._archive.execute("SELECT pdf FROM certificates WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def issue(self, key: str, resident: Resident, kind: str, today: date, fault: str) -> Certificate:
        """A new certificate, or the one that ``key`` made before.

        Raises:
            Refusal: ``key_reused`` for another person or kind.
        """
        known = self._filed_under(key)
        if known is not None:
            if (known.kind, known.holder) != (kind, resident.handle):
                raise Refusal(409, "key_reused", "请求编号重复")
            return known
        sheet = self._sheet(key, resident, kind, today)
        self._file(key, sheet, resident, self._sealed(sheet, fault))
        filed = self._filed_under(key)
        assert filed is not None
        return filed

    def _sheet(self, key: str, resident: Resident, kind: str, today: date) -> Sheet:
        serial = self._archive.execute("SELECT coalesce(max(serial), 0) + 1 FROM certificates").fetchone()[0]
        number = f"YK-{today:%Y%m%d}-{serial:06d}"
        # Unguessable without the seal's key, and the same again in a run with the same PKI.
        secret = hashlib.sha256(self._pki.key("seal").read_bytes() + f"{number} {key}".encode()).digest()
        check_code = f"{int.from_bytes(secret[:8], 'big') % 10**16:016d}"
        return Sheet(
            kind=kind,
            number=number,
            check_code=check_code,
            resident=resident,
            issued_on=today,
            valid_until=None if kind == "rights_record" else today + timedelta(days=DAYS_VALID),
            verify_at=f"{self._verify_base}/{number}?code={check_code}",
        )

    def _sealed(self, sheet: Sheet, fault: str) -> bytes:
        """Imported here: fonts, composer and seal cost a second that a run without certificates need not wait for."""
        from simulators.hosts.fonts import cut_fonts
        from simulators.hosts.paper import characters_of, compose, draw_seal
        from simulators.hosts.sealing import seal

        fonts = cut_fonts(self._directory / "fonts", characters_of(self._world.residents))
        appearance = self._directory / "seal.pdf"
        if not appearance.exists():
            appearance.write_bytes(draw_seal(fonts))
        said = sheet
        if fault == "other_holder":
            stranger = next(one for one in self._world.residents if one.handle != sheet.resident.handle)
            said = replace(sheet, resident=stranger)
        return seal(compose(said, fonts), self._pki, appearance, fault)

    def _file(self, key: str, sheet: Sheet, resident: Resident, pdf: bytes) -> None:
        valid_until = sheet.valid_until.isoformat() if sheet.valid_until else None
        self._archive.execute(
            "INSERT INTO certificates VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                sheet.number,
                sheet.check_code,
                sheet.kind,
                resident.handle,
                sheet.issued_on.isoformat(),
                valid_until,
                sheet.verify_at,
                hashlib.sha256(pdf).hexdigest(),
                msgspec.json.encode(sheet.content()).decode(),
                pdf,
            ),
        )

    def _filed_under(self, key: str) -> Certificate | None:
        row = self._archive.execute(
            "SELECT number, kind, holder, issued_on, valid_until, verify_at, sha256 FROM certificates WHERE key = ?",
            (key,),
        ).fetchone()
        return None if row is None else Certificate(*row)
