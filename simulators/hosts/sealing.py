"""Putting the agency's seal on a certificate: PAdES B-B with the demo PKI, round red seal visible. TEST keys."""

import io
from pathlib import Path

from asn1crypto import keys as asn1_keys
from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from simulators.pki import Pki

FIELD = "AgencySeal"
BOX = (357, 118, 476, 237)  # points from the lower left of A4: 42 mm over the agency's name
SIGNERS = {"": "seal", "other_ca": "stranger-seal", "expired": "seal-expired", "revoked": "seal-revoked"}
AUTHORITIES = {"other_ca": "stranger-ca"}


def seal(pdf: bytes, pki: Pki, appearance: Path, fault: str = "") -> bytes:
    """The sealed PDF. ``fault`` is one of ``weather.CERTIFICATE_FAULTS``; those of content are not made here."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    fields.append_signature_field(writer, fields.SigFieldSpec(FIELD, on_page=0, box=BOX))
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, reason="TEST", name="TEST"
    )
    style = StaticStampStyle.from_pdf_file(str(appearance), border_width=0)
    sealed = io.BytesIO()
    signers.PdfSigner(metadata, _signer(pki, fault), stamp_style=style).sign_pdf(writer, output=sealed)
    return _altered(sealed.getvalue()) if fault == "altered" else sealed.getvalue()


def _signer(pki: Pki, fault: str) -> signers.SimpleSigner:
    name = SIGNERS.get(fault, "seal")
    authority = _certificate(pki.certificate(AUTHORITIES.get(fault, "seal-ca")))
    return signers.SimpleSigner(
        signing_cert=_certificate(pki.certificate(name)),
        signing_key=asn1_keys.PrivateKeyInfo.load(pem.unarmor(pki.key(name).read_bytes())[2]),
        cert_registry=SimpleCertificateStore.from_certs([authority]),  # type: ignore[no-untyped-call]  # its library has no types
    )


def _certificate(path: Path) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(pem.unarmor(path.read_bytes())[2])


def _altered(sealed: bytes) -> bytes:
    """One digit of the creation date is another: the file reads as before, and the seal is broken."""
    place = sealed.index(b"/CreationDate") + sealed[sealed.index(b"/CreationDate") :].index(b"D:") + 2
    return sealed[:place] + (b"3" if sealed[place : place + 1] != b"3" else b"2") + sealed[place + 1 :]
