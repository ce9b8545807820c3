"""Checking one sealed PDF: PAdES signature by pyHanko, then its content. Runs only in the short-lived process.

INVENTED: the content is ``certificate.json``, embedded in the PDF inside what the seal covers (keys: holder_number,
kind, number, issued_on). A province with another carrier of the same facts gets another ``_content``.
"""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from asn1crypto import crl, pem, x509
from pyhanko.pdf_utils.generic import DictionaryObject
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from kiosk.domain.certificate import SealExpectation, SealFinding
from kiosk.hosts.seal.wire import Order, Verdict

CONTENT_FILE = "certificate.json"
TEST_MARK = "TEST "  # how the demo PKI begins its names
CONTENT_BYTES_MAX = 16 * 1024
OUT_OF_TIME = frozenset(
    {
        AdESFailure.REVOKED,
        AdESFailure.NOT_YET_VALID,
        AdESIndeterminate.EXPIRED,
        AdESIndeterminate.NOT_YET_VALID,
        AdESIndeterminate.REVOKED_NO_POE,
        AdESIndeterminate.REVOKED_CA_NO_POE,
        AdESIndeterminate.OUT_OF_BOUNDS_NO_POE,
        AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED,
    }
)


def check(pdf: bytes, order: Order) -> Verdict:
    """Judge a document.

    The order of the questions is the order of the findings: is it a PDF with a seal, is it as it was sealed, is the
    sealer the agency, was the seal in force, is it about this person.
    """
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=True)
        seals = [] if reader.encrypted else reader.embedded_regular_signatures
    except (PdfReadError, ValueError, KeyError, TypeError, RecursionError):
        return Verdict(finding=SealFinding.UNREADABLE, reason="no_pdf")
    if len(seals) != 1:
        return Verdict(finding=SealFinding.UNREADABLE, reason=f"{len(seals)} seals")
    return _seal_verdict(seals[0], order) or _content_verdict(reader, order.expected)


def _seal_verdict(seal: EmbeddedPdfSignature, order: Order) -> Verdict | None:
    """None when the seal is whole, trusted and in force."""
    if seal.sig_object["/SubFilter"] != SigSeedSubFilter.PADES.value:
        return Verdict(finding=SealFinding.UNTRUSTED, reason="not_pades")
    # A setting left empty would be the working directory, and whatever lies there would be trusted.
    named = Path(order.anchors).is_absolute()
    roots = [_certificate(path) for path in sorted(Path(order.anchors).glob("*.pem"))] if named else []
    if not roots:  # an empty list would mean "trust the system's" to the library
        return Verdict(finding=SealFinding.UNTRUSTED, reason="no_anchors")
    status = validate_pdf_signature(seal, _context(roots, order), skip_diff=True)
    if not (status.intact and status.valid) or status.coverage != SignatureCoverageLevel.ENTIRE_FILE:
        return Verdict(finding=SealFinding.ALTERED, reason="digest_or_coverage")
    if order.production and any(_is_test(one) for one in (seal.signer_cert, *roots)):
        return Verdict(finding=SealFinding.UNTRUSTED, reason="test_seal")
    return _trust_verdict(status)


def _is_test(certificate: x509.Certificate) -> bool:
    return str(certificate.subject.native.get("common_name", "")).startswith(TEST_MARK)


def _trust_verdict(status: PdfSignatureStatus) -> Verdict | None:
    if status.trusted:
        return None
    problem = status.trust_problem_indic
    reason = problem.standard_name.lower() if problem else "no_path"
    if status.revoked or problem in OUT_OF_TIME:
        return Verdict(finding=SealFinding.REVOKED_OR_EXPIRED, reason=reason)
    return Verdict(finding=SealFinding.UNTRUSTED, reason=reason)


def _context(roots: list[x509.Certificate], order: Order) -> ValidationContext:
    """Only the given anchors; revocation lists from their directory, and no list is no trust."""
    lists = [_revocation_list(path) for path in sorted(Path(order.anchors).glob("*.crl"))]
    return ValidationContext(
        trust_roots=roots,
        crls=lists,
        allow_fetching=False,
        revocation_mode="require",
        time_tolerance=timedelta(seconds=order.time_tolerance_s),
    )


def _certificate(path: Path) -> x509.Certificate:
    return x509.Certificate.load(_der(path))


def _revocation_list(path: Path) -> crl.CertificateList:
    return crl.CertificateList.load(_der(path))


def _der(path: Path) -> bytes:
    raw = path.read_bytes()
    unarmored: bytes = pem.unarmor(raw)[2] if pem.detect(raw) else raw
    return unarmored


def _content_verdict(reader: PdfFileReader, expected: SealExpectation) -> Verdict:
    content = _content(reader)
    if content is None:
        return Verdict(finding=SealFinding.UNREADABLE, reason="no_content")
    wanted = {
        "holder_number": expected.holder_number,
        "kind": expected.kind.value,
        "number": expected.certificate_number,
        "issued_on": expected.issued_on.isoformat(),
    }
    different = sorted(name for name, value in wanted.items() if content.get(name) != value)
    if different:
        return Verdict(finding=SealFinding.OTHER_CONTENT, reason=",".join(different))
    return Verdict(finding=SealFinding.GENUINE)


def _content(reader: PdfFileReader) -> dict[str, Any] | None:
    """The embedded facts, or None when the document carries none that can be read."""
    try:
        names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
        files = {str(names[place]): names[place + 1] for place in range(0, len(names), 2)}
        found: DictionaryObject = files[CONTENT_FILE]
        raw = found["/EF"]["/F"].data
        content = json.loads(raw) if len(raw) <= CONTENT_BYTES_MAX else None
    except (PdfReadError, KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
