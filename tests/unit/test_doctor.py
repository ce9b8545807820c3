"""The doctor: what a terminal says of its own fitness, and what production refuses to start with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec import structs
from trio.testing import MockClock

from kiosk.app import run_kiosk
from kiosk.doctor.examine import examine_terminal
from kiosk.doctor.findings import (
    Finding,
    bank_finding,
    certificate_findings,
    counter_findings,
    healthy,
    pad_finding,
    production_refusals,
)
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.money.bank_record import JournalBankRecord
from kiosk.ports import DeviceFault, HostRefused
from kiosk.ports.money import BankIntent
from kiosk.settings.config import ConfigError, HostSettings, Seals, Settings
from kiosk.settings.key_rules import TypedKey
from kiosk.staff.typed_keys import CONFIRMED, TYPED, write_key_act, write_load
from offline_queue.journal import SqliteJournal
from offline_queue.reader import open_reader
from tests.flows.people import KioskInMemory

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def certificate(folder: Path, name: str, days: int, began: int = -1) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW + timedelta(days=began))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name.split()[-1]}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def settings(tmp_path: Path, authority: Path, *, production: bool = True, url: str = "https://a.example") -> Settings:
    (tmp_path / "anchors").mkdir(exist_ok=True)
    certificate(tmp_path / "anchors", "Province seals", 900)
    host = HostSettings(url=url, ca=str(authority), certificate=str(authority))
    return Settings(
        run_dir=str(tmp_path / "run"),
        data_dir=str(tmp_path / "data"),
        production=production,
        pin_mode="A" if production else "B",
        hosts={"agency": host},
        seals=Seals(anchors=str(tmp_path / "anchors")),
    )


def test_production_starts_with_certificates_in_force(tmp_path: Path) -> None:
    """Authorities of a province that are in force refuse nothing."""
    assert production_refusals(settings(tmp_path, certificate(tmp_path, "Province hosts", 400)), NOW) == []


@pytest.mark.parametrize(
    ("name", "days", "began", "why"),
    [
        ("TEST hosts", 400, -1, "TEST"),
        ("Province hosts", 0, -400, "until"),
        ("Province hosts", 400, 1, "clock"),
    ],
)
def test_production_refuses_certificates_of_the_sandbox_or_out_of_time(
    tmp_path: Path, name: str, days: int, began: int, why: str
) -> None:
    """A TEST mark, an end that is past and a beginning that is still to come are each a reason not to start."""
    refused = production_refusals(settings(tmp_path, certificate(tmp_path, name, days, began)), NOW)
    assert refused
    assert all(why in finding.why for finding in refused)


def test_production_refuses_a_host_in_the_clear_and_missing_seals(tmp_path: Path) -> None:
    """No TLS, and nobody to trust for seals, are refused by name."""
    tree = settings(tmp_path, certificate(tmp_path, "Province hosts", 400), url="http://a.example")
    (tmp_path / "anchors" / "seals.pem").unlink()
    assert {finding.name for finding in production_refusals(tree, NOW)} == {"seals", "host agency"}


def test_only_the_bank_may_speak_without_http(tmp_path: Path) -> None:
    """tls:// is the bank's address, and no other host's; https:// is not the bank's."""
    tree = settings(tmp_path, certificate(tmp_path, "Province hosts", 400))
    agency = tree.hosts["agency"]
    bank, wrong = structs.replace(agency, url="tls://b.example:5000"), structs.replace(agency, url="tls://a.example:1")
    good = structs.replace(tree, hosts={"agency": agency, "bank": bank})
    assert production_refusals(good, NOW) == []
    crossed = structs.replace(tree, hosts={"agency": wrong, "bank": agency})
    assert {finding.name for finding in production_refusals(crossed, NOW)} == {"host agency", "host bank"}


class LineToNobody:
    """A bank's line that is refused, or that never stands."""

    def __init__(self, *, hangs: bool = False) -> None:
        self._hangs = hangs

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        if self._hangs:
            await trio.sleep_forever()
        raise HostRefused("bank", "line_down")
        yield


@pytest.mark.parametrize(("hangs", "why"), [(False, "line_down"), (True, "no connection in time")])
async def test_a_bank_that_cannot_be_reached_is_unknown(autojump_clock: MockClock, hangs: bool, why: str) -> None:
    """Refused or hanging: nothing is said of the bank but that nobody knows."""
    assert await bank_finding(LineToNobody(hangs=hangs)) == Finding("host bank", "unknown", why)


async def test_kiosk_does_not_start_in_production_with_test_keys(tmp_path: Path) -> None:
    """The start-up check comes before the window, the journal and the devices."""
    with pytest.raises(ConfigError, match="marked TEST"):
        await run_kiosk(settings(tmp_path, certificate(tmp_path, "TEST hosts", 4000)))
    assert not (tmp_path / "data").exists()


def test_certificate_that_ends_soon_is_a_warning(tmp_path: Path) -> None:
    """Staff hear of an end thirty days before; development may use TEST certificates."""
    tree = settings(tmp_path, certificate(tmp_path, "TEST hosts", 20), production=False)
    verdicts = {finding.name: finding.verdict for finding in certificate_findings(tree, NOW)}
    assert verdicts["authority of host agency"] == "warn"
    assert production_refusals(tree, NOW) == []


async def _pad_verdict(answer: bool | Exception | None) -> Finding:
    kiosk = KioskInMemory()

    async def answers_forbidden_decrypt() -> bool:
        if answer is None:
            await trio.sleep_forever()
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    kiosk.pad.answers_forbidden_decrypt = answers_forbidden_decrypt  # type: ignore[attr-defined]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        finding = await pad_finding(kiosk.supervisor)
        nursery.cancel_scope.cancel()
    return finding


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (False, "ok"),
        (True, "fail"),
        (None, "unknown"),
        (DeviceFault("pin_pad", Health(Condition.FAULT, "refused")), "unknown"),
        (DeviceFault("pin_pad", Health(Condition.FAULT, "bad_parameter")), "warn"),
    ],
)
async def test_pad_that_decrypts_is_found(
    autojump_clock: MockClock, answer: bool | Exception | None, verdict: str
) -> None:
    """The doctor tries the forbidden act: refused is well, answered a failure, silence unknown, no key a hint."""
    assert (await _pad_verdict(answer)).verdict == verdict


async def test_journal_is_walked_and_a_changed_row_is_found(tmp_path: Path) -> None:
    """Rows, notices owed and open effects are told; a row that was edited makes the terminal unfit."""
    tree = settings(tmp_path, certificate(tmp_path, "TEST hosts", 400), production=False)
    (tmp_path / "run").mkdir()
    journal = SqliteJournal(tmp_path / "data", lambda: NOW)
    journal.record("kiosk_started")
    journal.owe_notice("card_platform", "pin_changed", "key-1", card_number="A00000012")
    found = {finding.name: finding for finding in await examine_terminal(tree)}
    assert (found["journal"].verdict, found["notices"].verdict) == ("ok", "warn")
    board = open_reader(tmp_path / "data").public_key.public_bytes_raw().hex()
    assert found["journal"].why.endswith(f"board {board}"), "by which people at the agency know it"
    assert "1 notices owed" in found["notices"].why
    journal.database.execute_sql("update entry set act = 'nothing_happened' where seq = 1")
    found = {finding.name: finding for finding in await examine_terminal(tree)}
    assert found["journal"].verdict == "fail"
    assert not healthy(list(found.values()))
    journal.close()


KNOWN = ("000003", "000518")  # the newest act at the bank that the journal knows
SENT = "H99000100001202611211200050101"


@pytest.mark.parametrize(
    ("kept", "known", "verdict", "why"),
    [
        ("", None, "ok", "none used yet"),
        ('{"batch": "000003", "last": 520, "used": 17}', KNOWN, "ok", "batch 000003, 17 used"),
        ('{"batch": "000003", "last": 412, "used": 9}', KNOWN, "fail", "older than the journal, which knows 000518"),
        ("", KNOWN, "fail", "older than the journal"),
        ("{", KNOWN, "fail", "cannot be read"),
    ],
    ids=["none yet", "sound", "restored", "lost", "broken"],
)
def test_trace_numbers_that_might_repeat_are_found(
    kept: str, known: tuple[str, str] | None, verdict: str, why: str, tmp_path: Path
) -> None:
    """Why this terminal has no bank stands in the doctor's table, and what to do about it."""
    tree = Settings(run_dir="run", data_dir=str(tmp_path), hosts={"bank": HostSettings(url="tls://b.example:1")})
    if kept:
        (tmp_path / "bank_trace.json").write_text(kept)
    (found,) = counter_findings(tree, known, "")
    assert (found.name, found.verdict) == ("trace numbers of the bank", verdict)
    assert why in found.why


@pytest.mark.parametrize(
    ("kept", "known", "verdict"),
    [
        ("", "", "ok"),
        ("20261121120006 100", SENT, "ok"),
        ("20261121110000 100", SENT, "warn"),
        ("", SENT, "warn"),
        ("when?", SENT, "fail"),
    ],
    ids=["none yet", "sound", "restored", "lost", "broken"],
)
def test_message_ids_that_might_repeat_are_found(kept: str, known: str, verdict: str, tmp_path: Path) -> None:
    """An older counter goes on after the journal's newest, so that is a warning; a broken one settles nothing."""
    host = HostSettings(url="https://m.example")
    tree = Settings(run_dir="run", data_dir=str(tmp_path), hosts={"medical_insurance": host})
    if kept:
        (tmp_path / "message-ids").write_text(kept)
    found, forwarders = counter_findings(tree, None, known)
    assert (found.name, found.verdict) == ("message ids", verdict)
    assert (forwarders.name, forwarders.verdict) == ("message ids of the forwarder", "ok")


async def test_the_counters_are_compared_with_the_journal(tmp_path: Path) -> None:
    """The doctor itself reads what the journal knows, without the kiosk."""
    tree = settings(tmp_path, certificate(tmp_path, "TEST hosts", 400), production=False)
    bank = structs.replace(tree.hosts["agency"], url="tls://b.example:5000")
    tree = structs.replace(tree, hosts={**tree.hosts, "bank": bank, "medical_insurance": tree.hosts["agency"]})
    (tmp_path / "run").mkdir()
    journal = SqliteJournal(tmp_path / "data", lambda: NOW)
    act = BankIntent("purchase", "000518", "000003", Fen(100), "000000", "051", "9990010000000000019", "3512", "01", "")
    JournalBankRecord(journal, lambda: ("000001", "C1")).keep(act)
    journal.commit(NewEntry("settle_intent", "000001", {"message_id": SENT}, opens=SENT))
    found = {finding.name: finding for finding in await examine_terminal(tree)}
    assert "000518" in found["trace numbers of the bank"].why
    assert (found["trace numbers of the bank"].verdict, found["message ids"].verdict) == ("fail", "warn")
    journal.close()


async def test_keys_in_doubt_are_found_with_who_ends_it(tmp_path: Path) -> None:
    """A typed key that two people did not confirm, and a place whose block ended in silence; a later good word of the
    same key, and of the same place, ends either. Each alone, and read in the file that the kiosk writes."""
    tree = settings(tmp_path, certificate(tmp_path, "TEST hosts", 400), production=False)
    keys = {name: TypedKey(domain="bank", master=n, custodians=("1", "2")) for n, name in enumerate(("one", "two"))}
    tree = structs.replace(tree, typed_keys=keys)
    (tmp_path / "run").mkdir()
    journal = SqliteJournal(tmp_path / "data", lambda: NOW)

    async def found() -> list[tuple[str, str]]:
        told = [one for one in await examine_terminal(tree) if one.name == "keys of the pad"]
        return [(one.verdict, one.why.split(":")[0]) for one in told]

    assert await found() == [("ok", "none is in doubt")]
    write_key_act(journal, TYPED, "", "one", True)
    write_key_act(journal, TYPED, "", "two", True)
    write_key_act(journal, CONFIRMED, "", "two", False, check_value="8CA64DE9")
    write_load(journal, "0/2", True, key="b1", result="differs")
    write_load(journal, "0/3", False, key="b2", result="done")
    write_load(journal, "0/3", None, key="b3", result="refused")
    place = "place 0/2 may hold another key than was sent"
    assert await found() == [("fail", "one is in doubt and not used"), ("warn", place)]
    write_key_act(journal, CONFIRMED, "", "one", False, check_value="8CA64DE9")
    assert await found() == [("warn", place)]
    write_load(journal, "0/2", False, key="b4", result="done")
    assert await found() == [("ok", "none is in doubt")]
    journal.close()
