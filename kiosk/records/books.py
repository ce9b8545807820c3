"""Composition root of the journal's readers: verify, statement, audit, status, export, case. Never opens to write."""

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from kiosk.domain.entries import Facts, StoredEntry
from kiosk.domain.money import Fen, yuan
from kiosk.records.evidence import acknowledge, export, read_status, reset, status_json, status_words
from kiosk.settings.config import ConfigError, Settings, load_settings
from kiosk.staff.story import ACTS
from offline_queue.reader import UNREADABLE, JournalReader, open_reader, why_unreadable
from offline_queue.row_code import MARK, anchor_in
from offline_queue.verify import open_read_only, statement, verify

SETTINGS = Path("/etc/yikatong/settings.toml")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="offline_queue", description="The journal of one terminal")
    parser.add_argument("--settings", type=Path, default=SETTINGS)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("verify", help="is the chain whole, does the head hold, do the books balance?")
    check.add_argument("--anchor", type=_anchor, help="SEQ:LINK of a head that was seen outside, or a receipt's code")
    day = commands.add_parser("statement", help="the books of one day")
    day.add_argument("day", type=_day, help="YYYY-MM-DD")
    audit = commands.add_parser("audit", help="everything an auditor may see, as JSON lines")
    audit.add_argument("file", type=Path)
    unsent = commands.add_parser("status", help="what no host knows yet, and what the agency keeps")
    unsent.add_argument("--json", action="store_true", help="for machines")
    stick = commands.add_parser("export", help="all rows that the agency has not acknowledged, onto a stick")
    stick.add_argument("--to", type=Path, required=True, metavar="DIR")
    word = commands.add_parser("acknowledge", help="judge and keep the agency's word that it has the rows")
    word.add_argument("file", type=Path)
    end = commands.add_parser("reset", help="destroy the journal, once the agency keeps every row of it")
    end.add_argument("--acknowledgement", type=Path, required=True, metavar="FILE", help="the agency's word")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """``python -m offline_queue COMMAND``: 0 well, 1 the chain is broken, 2 something cannot be read."""
    asked = make_parser().parse_args(arguments)
    try:
        settings = load_settings(asked.settings)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    folder = Path(settings.data_dir)
    try:
        match asked.command:
            case "verify":
                return _verify(folder, asked.anchor)
            case "statement":
                return _statement(folder, asked.day)
            case "audit":
                return _audit(folder, asked.file)
            case "status":
                status = read_status(settings)
                print(status_json(status) if asked.json else status_words(status))
            case "export":
                print("\n".join(_exported(settings, asked.to)) or "nothing to export")
            case "reset":
                print(reset(settings, asked.acknowledgement))
            case _:
                print(acknowledge(settings, asked.file))
        return 0
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except UNREADABLE as error:
        print(why_unreadable(error, folder), file=sys.stderr)
        return 2


def _exported(settings: Settings, stick: Path) -> list[str]:
    """Raises ConfigError: the stick is full, gone or not there; UNREADABLE: the journal is."""
    try:
        return [str(path) for path in export(settings, stick)]
    except OSError as error:
        if error.filename and not str(error.filename).startswith(str(stick)):
            raise
        raise ConfigError(f"{stick}: {error.strerror}. Nothing is lost: every row is still in the journal.") from error


Anchor = str | tuple[int, bytes]  # the code of a receipt, or row and link


def _anchor(words: str) -> Anchor:
    """Raises ValueError: argparse then says which argument is wrong."""
    if words.startswith(MARK):
        return words
    seq, _, link = words.partition(":")
    return int(seq), bytes.fromhex(link)


def _vouched_for(code: str, reader: JournalReader) -> tuple[int, bytes]:
    """Raises ConfigError: no code of a receipt of this journal."""
    try:
        return anchor_in(code, reader.public_key)
    except ValueError as error:
        raise ConfigError(f"--anchor: {error}") from error


def _day(words: str) -> str:
    """Raises ValueError."""
    return date.fromisoformat(words).isoformat()


def _verify(folder: Path, anchor: Anchor | None) -> int:
    reader = open_reader(folder)
    seen = _vouched_for(anchor, reader) if isinstance(anchor, str) else anchor
    verdict = verify(reader.connection, reader.public_key, seen, reader.root)
    print(f"{verdict.rows} rows: " + ("whole" if verdict.whole else verdict.why))
    return 0 if verdict.whole else 1


def _statement(folder: Path, day: str) -> int:
    at_end, within = statement(open_read_only(folder / "journal.db"), day)
    print(f"{day:24}{'movement':>16}{'balance':>16}")
    for account in sorted(at_end.keys() | within.keys()):
        moved, left = within.get(account, Fen(0)), at_end.get(account, Fen(0))
        print(f"{account:24}{yuan(moved):>16}{yuan(left):>16}")
    return 0


def _audit(folder: Path, file: Path) -> int:
    reader = open_reader(folder)
    file.touch(0o600, exist_ok=False)
    with file.open("w", encoding="utf-8") as out:
        for entry in reader.entries():
            out.write(json.dumps(_row(entry), ensure_ascii=False) + "\n")
    print(f"written to {file}; it names cards: handle it like money")
    return 0


# What a bank needs of a card for a reversal explains nothing to anybody.
_NOBODYS_BUSINESS = ("chip", "expires", "sequence", "entry_mode", "processing")


def _without_card(facts: Facts) -> dict[str, str | int]:
    """A bank card is named by its first six and last four digits, also to an auditor."""
    told = {name: value for name, value in facts.items() if name not in _NOBODYS_BUSINESS}
    pan = str(told.get("pan", ""))
    return {**told, "pan": f"{pan[:6]}{'*' * max(0, len(pan) - 10)}{pan[-4:]}"} if pan else told


def _row(entry: StoredEntry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "act": entry.act,
        "case": entry.case_code,
        "facts": _without_card(entry.facts) if entry.facts is not None else None,
        "postings": {posting.account.value: posting.amount_fen for posting in entry.postings},
    }


def tell_case(folder: Path, code: str) -> str:
    """One case as a story in plain words, for the person who has to explain it. Card numbers stay masked."""
    entries = open_reader(folder).story(code.replace(" ", ""))
    if not entries:
        return f"No case {code} on this terminal."
    return "\n".join(_sentences(entries))


def _sentences(entries: Iterable[StoredEntry]) -> Iterable[str]:
    for entry in entries:
        words = WORDS.get(entry.act, entry.act.replace("_", " "))
        told = _without_card(entry.facts or {})
        facts = ", ".join(f"{name} {_shown(name, value)}" for name, value in told.items())
        sealed = "" if entry.facts is not None else " (details were destroyed at the end of their retention)"
        moved = "; ".join(f"{one.account.value} {yuan(one.amount_fen)}" for one in entry.postings)
        yield f"{entry.at}  {words}{sealed}" + (f" [{facts}]" if facts else "") + (f" {{{moved}}}" if moved else "")


def _shown(name: str, value: str | int) -> str:
    if name in ("card_number", "person_number"):
        return f"...{str(value)[-4:]}"
    return yuan(Fen(int(value))) if name.endswith("_fen") else str(value)


# What each act means to a person; an act without words is shown by its own name.
WORDS = {act: text.msgid for act, text in ACTS.items()}
