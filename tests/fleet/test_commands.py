"""What people of the fleet type: each command through the one way in, on a real journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from offline_queue.acknowledgement import read_acknowledgement
from provisioning.fleet import audit
from provisioning.fleet.__main__ import main
from provisioning.fleet.actor import Actor
from provisioning.fleet.ledger.keep import keep_told
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.base import proxy
from tests.fleet.conftest import CITY, make_cities
from tests.fleet.test_ledger import AT_MS, RECOVERY, TERMINAL, Village

CITIES_WORDS = ("--tenant", CITY, "--by", "officer")


class Office:
    """A fleet on SQLite with its settings file, and a terminal's journal."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.settings = folder, folder / "fleet.toml"
        self.settings.write_text(f'home = "{folder}/home"\npublic = "{folder}/public"\n')
        assert self.ask("verify") == 0
        make_cities()
        self.village = Village(folder / "terminal")
        self.custodians = folder / "recovery.key"
        self.custodians.write_bytes(RECOVERY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def ask(self, *words: str) -> int:
        return main(["--settings", str(self.settings), *words])

    def stick(self) -> Path:
        self.village.stick(self.folder / "stick")
        return self.folder / "stick"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("CUSTODIANS_WORDS", "")
    made = Office(tmp_path)
    yield made
    made.village.journal.close()
    proxy.obj.close()


def test_a_stick_goes_in_and_its_answer_comes_out(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows are counted, and the terminal believes the file that lies beside them then."""
    office.village.live(3)
    stick, key = office.stick(), ed25519.Ed25519PrivateKey.generate()
    pem = office.folder / "city.key"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    words = ("import", str(stick), *CITIES_WORDS, "--custodians", str(office.custodians), "--sign", f"city={pem}")
    assert office.ask(*words) == 0
    assert "3 rows kept, 0 known before" in capsys.readouterr().out
    wire = (stick / f"{TERMINAL}.acknowledgement.json").read_bytes()
    told = read_acknowledgement(wire, {"city": key.public_key()}, TERMINAL, office.village.copies)
    assert told.kept_up_to == 3


def test_rows_that_leave_a_gap_are_no_success(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever types it learns by words and exit status that a person must look."""
    office.village.live(4)
    office.village.stick(office.folder / "stick", after=2)
    words = ("import", str(office.folder / "stick"), *CITIES_WORDS, "--custodians", str(office.custodians))
    assert office.ask(*words) == 1
    assert "row 3: gap" in capsys.readouterr().out


def test_a_receipt_is_booked_and_a_dead_board_tells(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """The last row came on paper only; who is owed what is told with it, and the look stands on the trail."""
    office.village.live(1)
    keep_told(Actor(CITY, f"terminal:{TERMINAL}"), TERMINAL, office.village.told(), AT_MS)
    (seq,) = office.village.live(1)
    codes = office.folder / "codes.txt"
    codes.write_text(office.village.journal.row_code(TERMINAL, seq) + "\nnonsense\n")
    assert office.ask("receipt", str(codes), *CITIES_WORDS) == 1
    assert "refused: not the code of a receipt" in capsys.readouterr().out
    asked = ("recover", TERMINAL, *CITIES_WORDS, "--custodians", str(office.custodians), "--why", "board dead")
    assert office.ask(*asked) == 0
    assert "case 123456, card T00000131: inside, never booked 20.00 yuan" in capsys.readouterr().out
    assert AuditRow.get(AuditRow.act == "journal_opened").why == "board dead"


def test_a_city_that_is_none_is_refused(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is read."""
    words = ("import", str(office.folder), "--tenant", "nowhere", "--by", "x", "--custodians", "none")
    assert office.ask(*words) == 66
    assert "no city nowhere" in capsys.readouterr().err


def test_an_export_of_the_trail_proves_itself(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the server's word; a changed row and a missing end are found, and a trail that was rewritten since."""
    for number in range(3):
        audit.record(Actor(CITY, "person:officer"), number, "test", f"T{number:07d}", "为了测试")
    out = office.folder / "trail.jsonl"
    assert office.ask("audit", "--tenant", CITY, "--to", str(out)) == 0
    assert office.ask("audit", "--tenant", CITY, "--check", str(out)) == 0
    assert "4 rows, whole" in capsys.readouterr().out
    lines = out.read_text().splitlines(keepends=True)
    harmed = office.folder / "harmed.jsonl"
    for content in (lines[:-1], [lines[0], *lines[2:]], [lines[0].replace("T0000000", "T0000009"), *lines[1:]]):
        harmed.write_text("".join(content))
        assert office.ask("audit", "--tenant", CITY, "--check", str(harmed)) == 1
    AuditRow.update(link="0" * 64).where(AuditRow.seq == 4).execute()
    assert office.ask("audit", "--tenant", CITY, "--check", str(out)) == 1
