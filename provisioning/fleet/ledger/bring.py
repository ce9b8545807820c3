"""Brings in what a stick or a dead board's second medium holds, once, however often and beside the line."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kiosk.basics.signed import Signer
from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import step
from provisioning.fleet.ledger.boards import alert, board_of
from provisioning.fleet.ledger.bundle import BUNDLE, MEDIUM, Bundle, BundleRefused, read_bundle, read_medium
from provisioning.fleet.ledger.custody import Custodians, facts_of
from provisioning.fleet.ledger.keep import KEPT, KNOWN, keep, kept_up_to

_FILE_BYTES_MAX = 128 << 20
_ROWS_A_STEP = 50
ACKNOWLEDGEMENT_GOOD_FOR = timedelta(days=90)


@dataclass(frozen=True)
class Brought:
    """``why``: "" where every row is kept now; else what a person must look at."""

    file: str
    terminal_id: str = ""
    kept: int = 0
    known: int = 0
    why: str = ""


def bring_folder(actor: Actor, folder: Path, custodians: Custodians, at_ms: int) -> list[Brought]:
    """Every bundle and medium file in it, in the order of their names. A bad one hinders no other.

    Raises:
        OSError: the folder cannot be read.
    """
    names = sorted(path for path in folder.iterdir() if path.suffix in (BUNDLE, MEDIUM) and not path.is_symlink())
    return [_bring(actor, path, custodians, at_ms) for path in names]


def _bring(actor: Actor, path: Path, custodians: Custodians, at_ms: int) -> Brought:
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise BundleRefused("no terminal writes so much into one file")
        content = path.read_bytes()
        bundle = _medium(path, content, custodians) if path.suffix == MEDIUM else read_bundle(content, custodians)
        return _kept(actor, path, bundle, at_ms)
    except (BundleRefused, OSError) as error:
        why = str(error) or type(error).__name__
        audit.record(actor, at_ms, "bundle_refused", path.name[:80], facts={"why": why})
        return Brought(path.name, why=why)


def _medium(path: Path, content: bytes, custodians: Custodians) -> Bundle:
    """No signature covers the keys of a medium's months: they must open what they are for."""
    found = read_medium(path.stem, content)
    keys = custodians.month_keys(found.periods)
    found.periods = {period: wrapped for period, wrapped in found.periods.items() if period in keys}
    if any(row.period in keys and facts_of(row.sealed, row.seq, keys[row.period]) is None for row in found.rows):
        raise BundleRefused("a month's key does not open its rows")
    return found


def _kept(actor: Actor, path: Path, bundle: Bundle, at_ms: int) -> Brought:
    if not bundle.rows:
        return Brought(path.name, bundle.terminal_id)
    try:
        board = board_of(actor, bundle.terminal_id, bundle.public_key, at_ms)
    except Refused as refused:
        alert(actor.tenant, bundle.terminal_id, bundle.rows[-1].seq, "bundle of another board", at_ms)
        raise BundleRefused(str(refused)) from None
    counts, why = {KEPT: 0, KNOWN: 0}, ""
    with step():
        for first in range(0, len(bundle.rows), _ROWS_A_STEP):
            for one in keep(board, bundle.rows[first : first + _ROWS_A_STEP], bundle.periods, at_ms):
                counts[one.result] = counts.get(one.result, 0) + 1
                if one.result not in (KEPT, KNOWN):
                    why = f"row {one.seq}: {one.result}"
            if why:
                break
        facts = {"kept": counts[KEPT], "known": counts[KNOWN], "why": why}
        audit.record(actor, at_ms, "bundle_brought", bundle.terminal_id, facts=facts)
    return Brought(path.name, bundle.terminal_id, counts[KEPT], counts[KNOWN], why)


def acknowledgement(
    actor: Actor, terminal_id: str, signer: Signer, now: datetime, good_for: timedelta = ACKNOWLEDGEMENT_GOOD_FOR
) -> bytes:
    """The agency's word for what it keeps, for the terminal to verify; kind ``journal_kept``."""
    seq, link = kept_up_to(actor, terminal_id)
    facts = {"terminal": terminal_id, "kept_up_to": seq, "link": link}
    return signer.signed("journal_kept", seq, now, now + good_for, facts)
