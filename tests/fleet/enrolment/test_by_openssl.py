"""A second opinion on what goes over the wire: OpenSSL makes a request, and reads the answer and the chain."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from provisioning.fleet import ca
from provisioning.fleet.enrolment.requests import confirm
from provisioning.token_key import Token, make_key
from simulators.tokens import softhsm
from tests.fleet.enrolment.asking import AT, EST, Bare, Desk
from tests.fleet.enrolment.conftest import INSTALLER

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def openssl(*arguments: str | Path, told: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, arguments)], input=told, capture_output=True, check=True).stdout


def test_a_stock_request_is_answered_with_a_chain_that_openssl_verifies(desk: Desk, hall: int, tmp_path: Path) -> None:
    """Key and PKCS#10 by OpenSSL; PKCS#7 opened by it, the certificate verified for a client under the authority."""
    key = tmp_path / "key.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    bare = Bare(key=loaded)  # type: ignore[arg-type]  # on P-256, as was asked
    request = openssl("req", "-new", "-key", key, "-subj", f"/CN={bare.serial}", "-outform", "DER")
    body = openssl("base64", told=request)
    assert desk.enrol(bare, body=body).status == 202
    confirm(INSTALLER, bare.fingerprint, "T0000007", hall, AT)
    answer = desk.enrol(bare, body=body)
    assert answer.headers["content-transfer-encoding"] == "base64"
    pem = openssl("pkcs7", "-inform", "DER", "-print_certs", told=openssl("base64", "-d", told=answer.body))
    (tmp_path / "own.pem").write_bytes(pem)
    whole = desk.client.get(f"{EST}/cacerts", {"X-Face": "terminals"}).body
    trusted = openssl("pkcs7", "-inform", "DER", "-print_certs", told=openssl("base64", "-d", told=whole))
    (tmp_path / "ca.pem").write_bytes(trusted)
    at = ["-attime", str(AT // 1000 + 60), "-purpose", "sslclient", "-CAfile", tmp_path / "ca.pem"]
    assert openssl("verify", *at, tmp_path / "own.pem").endswith(b": OK\n")
    text = openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", told=pem)
    assert text.strip() == b"subject=serialNumber=SN-0000001,CN=T0000007,O=demo-city"


def test_an_authority_in_a_token_gives_certificates_that_openssl_verifies(
    desk: Desk, hall: int, tmp_path: Path
) -> None:
    """Its key was made in a token, and signs there; OpenSSL verifies what it gave."""
    kept = softhsm(tmp_path / "k")
    token = Token(
        module=kept.module,
        label=kept.label,
        pin_file=str(kept.pin_file),
        environment=dict(kept.environment),
    )
    made = ca.add(desk.home, "in-a-token", datetime.fromtimestamp(AT / 1000, UTC), token)
    assert not (made.folder / "key.pem").exists()
    assert made.certificate.public_key() == make_key(token).public_key()
    bare = Bare()
    desk.enrol(bare)
    confirm(INSTALLER, bare.fingerprint, "T0000007", hall, AT)
    assert desk.enrol(bare).status == 200
    assert bare.certificate is not None
    (tmp_path / "own.pem").write_bytes(bare.certificate.public_bytes(serialization.Encoding.PEM))
    at = ["-attime", str(AT // 1000 + 60), "-purpose", "sslclient", "-CAfile", ca.trusted(desk.home)]
    assert openssl("verify", *at, tmp_path / "own.pem").endswith(b": OK\n")
