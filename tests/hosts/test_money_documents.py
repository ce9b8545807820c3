"""The documents of the hospital and the national interface, held against both sides."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from kiosk.hosts.medical_insurance.client import MedicalInsuranceClient
from kiosk.hosts.medical_insurance.message_id import MessageIds
from kiosk.hosts.medical_insurance.signer import FrontEndSigner, Signer
from kiosk.ports import HostRefused
from simulators.hosts.sandbox import Ask
from tests.hosts.medical import NOON, Clinic, treatment_of
from tests.hosts.memory import DocumentedLink, document
from tests.hosts.test_medical_signing import gateway, sm2_signer, sm_signer


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.platform.close()


def documented(clinic: Clinic, signer: Signer) -> tuple[DocumentedLink, MedicalInsuranceClient]:
    link = DocumentedLink(clinic.platform)
    ids = MessageIds(clinic.folder / "message-ids", clinic.world.hospital.code, 200, 299, lambda: NOON)
    return link, MedicalInsuranceClient(link, clinic.rules, "T0000001", ids, signer, lambda: NOON)


@pytest.mark.parametrize("name", ["hospital", "medical_insurance"])
def test_documents_are_openapi(name: str) -> None:
    """Each document is valid OpenAPI 3.1."""
    validate(document(name))
    assert document(name)["openapi"].startswith("3.1")


@pytest.mark.parametrize("signer", [FrontEndSigner(), gateway(), sm_signer(), sm2_signer()])
async def test_every_message_conforms(clinic: Clinic, signer: Signer) -> None:
    """All eight messages and their answers pass the document, whatever the signing family."""
    link, client = documented(clinic, signer)
    person, bill = await client.person(*clinic.card("li_jianguo")), clinic.bill("li_jianguo", 1)
    treatment = treatment_of(person, bill)
    assert await client.find(treatment, client.new_message_id()) is None
    await client.quote(person, bill, True, client.new_message_id())
    made = await client.settle(person, bill, True, client.new_message_id())
    assert await client.find(treatment, made.message_id) == made
    await client.void(person, made, client.new_message_id())
    assert await client.find(treatment, made.message_id) is None
    await client.reverse(treatment, client.new_message_id(), "2207", client.new_message_id())
    with pytest.raises(HostRefused):
        await client.void(person, made, client.new_message_id())
    await client.sign_off()
    await link.call("GET", "/v1/health")
    assert set(link.operations) == {"health", "message"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff", b"1e999", b'{"signData": 1}', b"[" * 50_000, b"x" * 100_000]
)
def test_the_platform_answers_anything(clinic: Clinic, body: bytes) -> None:
    """Whatever a terminal sends, the platform refuses it and never falls over."""
    reply = clinic.platform.answer(Ask("POST", "/fsi/api", body))
    told = json.loads(reply.body)
    assert told.get("infcode", -1) != 0
    assert reply.status == 200 or reply.content_type == "application/problem+json"
