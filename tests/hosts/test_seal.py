"""The seal verifier: only a genuine certificate of the right person is printed; every way of being wrong has a name."""

import io
import os
import random
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from kiosk.domain.certificate import CertificateKind, SealedDocument, SealExpectation, SealFinding
from kiosk.hosts.seal.check import check
from kiosk.hosts.seal.verifier import ProcessSealVerifier, expectation
from kiosk.hosts.seal.wire import Order
from kiosk.hosts.social_insurance.client import SocialInsuranceClient
from simulators.pki import Pki
from tests.hosts.conftest import Town

SOME_DAY = date(2026, 11, 21)


class Told:
    """A log that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: str, **fields: object) -> None:
        self.lines.append(f"{event} {fields}")


async def issued(town: Town, fault: str = "", kind: CertificateKind = CertificateKind.INSURANCE) -> SealedDocument:
    town.weather.change(certificate=fault)
    client = SocialInsuranceClient(town.link("social_insurance"))
    return await client.issue_certificate(
        town.identity("wang_xiulan"), town.holder("wang_xiulan"), kind, f"key-{fault.replace('_', '-')}0001"
    )


def wanted(town: Town, document: SealedDocument) -> SealExpectation:
    return expectation(document, town.holder("wang_xiulan").social_security_number)


def verifier(pki: Pki, told: Told | None = None, verify_s_max: float = 60.0) -> ProcessSealVerifier:
    return ProcessSealVerifier(pki.anchors, verify_s_max, told or Told())


@pytest.mark.parametrize("kind", list(CertificateKind))
async def test_the_agencys_own_certificate_is_genuine(town: Town, kind: CertificateKind) -> None:
    """A certificate as the agency sealed it, about the person who asked, may be printed."""
    document = await issued(town, kind=kind)
    assert await verifier(town.pki).verify(document.pdf, wanted(town, document)) is SealFinding.GENUINE


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ("altered", SealFinding.ALTERED),
        ("other_ca", SealFinding.UNTRUSTED),
        ("expired", SealFinding.REVOKED_OR_EXPIRED),
        ("revoked", SealFinding.REVOKED_OR_EXPIRED),
        ("other_holder", SealFinding.OTHER_CONTENT),
    ],
)
async def test_every_fault_of_a_certificate_is_named(town: Town, fault: str, finding: SealFinding) -> None:
    """What the agency's side can get wrong, or a forger can try, is found and named."""
    document = await issued(town, fault)
    assert await verifier(town.pki).verify(document.pdf, wanted(town, document)) is finding


async def test_each_expected_fact_is_compared(town: Town) -> None:
    """Holder, kind, number and date must each equal the request."""
    document = await issued(town)
    right = wanted(town, document)
    for wrong in (
        SealExpectation("990001200001010000", right.kind, right.certificate_number, right.issued_on),
        SealExpectation(right.holder_number, CertificateKind.BENEFIT, right.certificate_number, right.issued_on),
        SealExpectation(right.holder_number, right.kind, "YK-20000101-000001", right.issued_on),
        SealExpectation(right.holder_number, right.kind, right.certificate_number, right.issued_on.replace(year=1999)),
    ):
        assert await verifier(town.pki).verify(document.pdf, wrong) is SealFinding.OTHER_CONTENT


async def test_anything_added_after_sealing_is_altered(town: Town) -> None:
    """A page added behind the seal (an incremental update) is found although the sealed bytes are untouched."""
    document = await issued(town)
    writer = PdfWriter(io.BytesIO(document.pdf), incremental=True)
    writer.add_blank_page(100, 100)
    grown = io.BytesIO()
    writer.write(grown)
    assert grown.getvalue().startswith(document.pdf)
    assert await verifier(town.pki).verify(grown.getvalue(), wanted(town, document)) is SealFinding.ALTERED


@pytest.mark.parametrize("broken", [b"", b"not a PDF", b"%PDF-1.7\n%%EOF"], ids=["empty", "text", "hollow"])
async def test_what_is_no_document_is_unreadable(town: Town, broken: bytes) -> None:
    """Nothing, text and an empty shell end as UNREADABLE."""
    document = SealedDocument(CertificateKind.INSURANCE, "YK-1", SOME_DAY, None, "", broken, "")
    assert await verifier(town.pki).verify(broken, wanted(town, document)) is SealFinding.UNREADABLE


async def test_unsealed_document_is_unreadable(town: Town) -> None:
    """A PDF without any seal is not printed."""
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    plain = io.BytesIO()
    writer.write(plain)
    document = SealedDocument(CertificateKind.INSURANCE, "YK-1", SOME_DAY, None, "", plain.getvalue(), "")
    assert await verifier(town.pki).verify(document.pdf, wanted(town, document)) is SealFinding.UNREADABLE


async def test_production_trusts_no_test_seal(town: Town) -> None:
    """What the demo's seal makes genuine here is not printed by a production terminal, whatever its anchors say."""
    document = await issued(town)
    told = Told()
    strict = ProcessSealVerifier(town.pki.anchors, 60.0, told, production=True)
    assert await strict.verify(document.pdf, wanted(town, document)) is SealFinding.UNTRUSTED
    assert "test_seal" in told.lines[0]


async def test_no_anchors_is_no_trust(town: Town, tmp_path: Path) -> None:
    """With an empty directory of anchors nothing is trusted: above all not what the system trusts."""
    document = await issued(town)
    found = await ProcessSealVerifier(tmp_path, 60.0, Told()).verify(document.pdf, wanted(town, document))
    assert found is SealFinding.UNTRUSTED


async def test_no_revocation_list_is_no_trust(town: Town, tmp_path: Path) -> None:
    """Where the revocation list is missing, nobody knows whether the seal is in force: it is not printed."""
    document = await issued(town)
    (tmp_path / "seal-ca.pem").write_bytes(town.pki.certificate("seal-ca").read_bytes())
    found = await ProcessSealVerifier(tmp_path, 60.0, Told()).verify(document.pdf, wanted(town, document))
    assert found in (SealFinding.UNTRUSTED, SealFinding.REVOKED_OR_EXPIRED)


async def test_slow_check_is_unreadable_and_leaves_no_process(town: Town) -> None:
    """At the deadline the process is killed, and the document is not printed."""
    document = await issued(town)
    before = _children()
    found = await verifier(town.pki, verify_s_max=0.01).verify(document.pdf, wanted(town, document))
    assert found is SealFinding.UNREADABLE
    assert _children() == before


async def test_log_names_nobody(town: Town) -> None:
    """The log of a check says the finding and the reason, and no number or name."""
    told = Told()
    document = await issued(town, "other_holder")
    await verifier(town.pki, told).verify(document.pdf, wanted(town, document))
    line = " ".join(told.lines)
    assert "other_content" in line
    for resident in town.world.residents:
        assert resident.number not in line
        assert resident.name not in line


async def test_paper_says_what_people_need(town: Town) -> None:
    """Name, number, certificate number, check code and the address in clear stand on the one page, as text."""
    document = await issued(town)
    pages = PdfReader(io.BytesIO(document.pdf)).pages
    text = pages[0].extract_text().replace("\n", "")
    holder = town.holder("wang_xiulan")
    for words in (holder.name, holder.social_security_number, document.number, document.verify_at):
        assert words in text
    assert len(pages) == 1


def _children() -> set[str]:
    """Process ids of our children."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


async def test_no_damaged_byte_passes(town: Town) -> None:
    """Whichever signed byte is changed, and whatever is cut off or added, the document is never genuine."""
    document = await issued(town)
    order = Order(anchors=str(town.pki.anchors), time_tolerance_s=300, cpu_s_max=60, expected=wanted(town, document))
    assert check(document.pdf, order).finding is SealFinding.GENUINE
    gap = range(document.pdf.index(b"/Contents <"), document.pdf.index(b">", document.pdf.index(b"/Contents <")))
    dice = random.Random(20261121)
    damaged = [b"x" + document.pdf, document.pdf + b"x", document.pdf[:-1], document.pdf + document.pdf]
    for _ in range(60):
        place = dice.randrange(len(document.pdf))
        if place not in gap:  # the signature itself lies in the gap, padded with zeros that mean nothing
            damaged.append(document.pdf[:place] + bytes([document.pdf[place] ^ 0x21]) + document.pdf[place + 1 :])
    for pdf in damaged:
        assert _finding(pdf, order) is not SealFinding.GENUINE


def _finding(pdf: bytes, order: Order) -> SealFinding:
    """As the process would end: whatever breaks it is UNREADABLE to the kiosk."""
    try:
        return check(pdf, order).finding
    except Exception as failure:
        if isinstance(failure, AssertionError | MemoryError):
            raise
        return SealFinding.UNREADABLE
