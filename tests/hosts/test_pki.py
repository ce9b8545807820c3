"""The demo PKI: made once, kept while good, renewed as a whole."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from simulators.pki import DAYS_LEFT_MIN, DAYS_VALID, NAMES, make_pki

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_second_set_up_changes_nothing(tmp_path: Path) -> None:
    """A PKI with more than a week left stays as it is, byte for byte."""
    make_pki(tmp_path, NOW)
    before = contents(tmp_path)
    make_pki(tmp_path, NOW + timedelta(days=DAYS_VALID - DAYS_LEFT_MIN - 1))
    assert contents(tmp_path) == before


def test_last_week_renews_everything(tmp_path: Path) -> None:
    """With less than a week left every certificate is made anew."""
    make_pki(tmp_path, NOW)
    before = contents(tmp_path)
    later = NOW + timedelta(days=DAYS_VALID - DAYS_LEFT_MIN + 1)
    pki = make_pki(tmp_path, later)
    after = contents(tmp_path)
    assert all(after[path] != before[path] for path in before if not path.endswith("complete"))
    renewed = x509.load_pem_x509_certificate(pki.host_certificate.read_bytes())
    assert renewed.not_valid_after_utc - later > timedelta(days=DAYS_VALID - 1)


@pytest.mark.parametrize("lost", ["host.key", "terminal.pem", "anchors/seal.crl", "complete"])
def test_missing_file_renews_everything(tmp_path: Path, lost: str) -> None:
    """A set with a hole, or one whose making was cut off, is made anew as a whole."""
    make_pki(tmp_path, NOW)
    before = contents(tmp_path)
    (tmp_path / lost).unlink()
    make_pki(tmp_path, NOW)
    assert contents(tmp_path).keys() == before.keys()
    assert (tmp_path / "host.pem").read_bytes() != before[str(tmp_path / "host.pem")]


def test_keys_are_private(tmp_path: Path) -> None:
    """Every key can be read by its owner only, after a renewal too."""
    for moment in (NOW, NOW + timedelta(days=365)):
        pki = make_pki(tmp_path, moment)
        assert {stat.S_IMODE(pki.key(name).stat().st_mode) for name in NAMES} == {0o600}


def test_authorities_do_not_stand_in_for_each_other(tmp_path: Path) -> None:
    """Hosts, seals, fleet and the stranger are four authorities, and each certificate has one issuer."""
    pki = make_pki(tmp_path, NOW)
    issuers = {
        name: x509.load_pem_x509_certificate(pki.certificate(name).read_bytes()).issuer.rfc4514_string()
        for name in NAMES
    }
    assert issuers["host"] == issuers["terminal"] == issuers["hosts-ca"]
    assert issuers["seal"] == issuers["seal-revoked"] == issuers["seal-ca"]
    assert len({issuers[name] for name in ("host", "seal", "fleet", "stranger-seal")}) == 4


def test_anchors_hold_what_a_terminal_trusts(tmp_path: Path) -> None:
    """The anchors are the seal authority and its revocation list, and no key."""
    pki = make_pki(tmp_path, NOW)
    assert sorted(path.name for path in pki.anchors.iterdir()) == ["seal-ca.pem", "seal.crl"]
    revocations = x509.load_pem_x509_crl((pki.anchors / "seal.crl").read_bytes())
    revoked = x509.load_pem_x509_certificate(pki.certificate("seal-revoked").read_bytes())
    good = x509.load_pem_x509_certificate(pki.certificate("seal").read_bytes())
    assert revocations.get_revoked_certificate_by_serial_number(revoked.serial_number) is not None
    assert revocations.get_revoked_certificate_by_serial_number(good.serial_number) is None
