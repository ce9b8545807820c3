"""The agency's keys: read from files, and what was sealed before they came is wrapped to them afterwards."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from kiosk.settings.config import AgencyKeys, ConfigError
from offline_queue.agency_keys import document_keys, recovery_key
from offline_queue.journal import SqliteJournal
from offline_queue.sealing import Sealer, unwrap_by_agency
from simulators.pki import Pki, make_pki


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def test_keys_of_the_settings_are_read(pki: Pki) -> None:
    """Both kinds, from PEM files; no settings mean no keys."""
    keys = AgencyKeys(recovery=str(pki.public("recovery")), documents={"agency": str(pki.public("documents"))})
    assert recovery_key(keys) is not None
    assert set(document_keys(keys)) == {"agency"}
    assert recovery_key(AgencyKeys()) is None
    assert document_keys(AgencyKeys()) == {}


def test_files_that_are_no_such_keys_are_named(pki: Pki, tmp_path: Path) -> None:
    """Missing, of the other kind, a certificate or noise: the message names the file, and the kiosk does not start."""
    noise = tmp_path / "noise.pem"
    noise.write_bytes(b"noise")
    for file in (tmp_path / "missing.pem", noise, pki.hosts_ca, pki.public("documents"), pki.terminal_certificate):
        with pytest.raises(ConfigError, match=file.name):
            recovery_key(AgencyKeys(recovery=str(file)))
    with pytest.raises(ConfigError, match=r"recovery\.public"):
        document_keys(AgencyKeys(documents={"agency": str(pki.public("recovery"))}))


def test_rows_from_before_the_key_can_be_recovered(pki: Pki, tmp_path: Path) -> None:
    """A terminal that gets the agency's key later wraps its older months, too; the custodians open them."""

    def now() -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)

    early = SqliteJournal(tmp_path, now)
    early.record("something", words="secret")
    early.close()
    later = SqliteJournal(tmp_path, now, recovery_key(AgencyKeys(recovery=str(pki.public("recovery")))))
    sql = later.database.execute_sql
    (wrapped,) = sql("select for_agency from period").fetchone()
    (sealed,) = sql("select sealed from entry where seq = 1").fetchone()
    custodians = load_pem_private_key(pki.key("recovery").read_bytes(), None)
    clear = Sealer(unwrap_by_agency(wrapped, custodians)).open(sealed, "1")  # type: ignore[arg-type] # RSA, by its name
    assert b"secret" in clear
    later.close()


def test_a_key_that_fits_no_receipt_is_refused(tmp_path: Path) -> None:
    """Every receipt carries its row wrapped to this key: one of 8192 bits would leave residents without paper."""
    file = tmp_path / "large.pem"
    for bits, fits in ((4096, True), (8192, False)):
        key = rsa.RSAPublicNumbers(65537, (1 << bits - 1) + 1).public_key()
        file.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        if fits:
            assert recovery_key(AgencyKeys(recovery=str(file))) is not None
        else:
            with pytest.raises(ConfigError, match="no receipt can carry"):
                recovery_key(AgencyKeys(recovery=str(file)))
