"""The published OpenAPI documents against both sides: what the clients ask, and what the sandboxes answer."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from kiosk.domain.account import AccountOverview
from kiosk.domain.card import CardIdentity, CardState, Holder, PinChange, Sex
from kiosk.domain.certificate import CertificateKind
from kiosk.domain.loss import LostCard
from kiosk.domain.money import Fen
from kiosk.hosts.agency.client import AgencyDutyClient
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.hospital.client import DebtRegisterClient
from kiosk.hosts.social_insurance.client import SocialInsuranceClient
from kiosk.ports import HostRefused, OutcomeUnknown
from simulators.cards.chip import build_atr, build_identification_code
from simulators.hosts import HOSTS, Weather, open_host
from simulators.hosts.sandbox import Ask
from simulators.pki import Pki
from simulators.worlds.world import World, load_world
from tests.hosts.conftest import WORLDS
from tests.hosts.memory import DocumentedLink, document

DEMO = load_world(WORLDS / "demo.toml")
# Judged in test_money_documents.py and test_agency_ledger.py.
ELSEWHERE = ("medical_insurance", "hospital", "agency_ledger")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def weather() -> Weather:
    return Weather()


@pytest.fixture
def links(tmp_path: Path, pki: Pki, fonts: Path, weather: Weather) -> Iterator[dict[str, DocumentedLink]]:
    (tmp_path / "fonts").symlink_to(fonts)
    names = [name for name in HOSTS if name not in ELSEWHERE]
    opened = {name: open_host(name, DEMO, tmp_path, pki, weather, clock=lambda: NOON) for name in names}
    yield {name: DocumentedLink(sandbox) for name, sandbox in opened.items() if not sandbox.public}
    for sandbox in opened.values():
        sandbox.close()


def card_of(world: World, handle: str) -> tuple[CardIdentity, Holder]:
    card = world.card(handle)
    resident = world.resident(card.resident)
    code = build_identification_code(card, world.city, world.keys)
    identity = CardIdentity(code, card.number, card.spec, None, None, build_atr(card, code))
    return identity, Holder(resident.name, resident.number, Sex(resident.sex), resident.nation, None)


@pytest.mark.parametrize("name", ["social_insurance", "card_platform", "agency_duty"])
def test_documents_are_openapi(name: str) -> None:
    """Each document is valid OpenAPI 3.1."""
    validate(document(name))
    assert document(name)["openapi"].startswith("3.1")


async def test_every_card_of_the_demo_world_conforms(links: dict[str, DocumentedLink]) -> None:
    """Overview and state of every card in the rack pass the document in both directions and become values."""
    states = set()
    for card in DEMO.cards:
        identity, holder = card_of(DEMO, card.handle)
        overview = await SocialInsuranceClient(links["social_insurance"]).overview(identity, holder)
        assert isinstance(overview, AccountOverview)
        states.add(await CardPlatformClient(links["card_platform"]).card_state(identity))
    assert states == set(CardState) - {CardState.CANCELLED}


async def test_every_operation_is_asked(links: dict[str, DocumentedLink]) -> None:
    """Together the clients use every documented operation, except the page for people and what test_receipt_records.py
    judges."""
    identity, holder = card_of(DEMO, "wang_xiulan")
    insurance = SocialInsuranceClient(links["social_insurance"], "T0000001")
    await insurance.overview(identity, holder)
    await insurance.issue_certificate(identity, holder, CertificateKind.BENEFIT, "key-0001")
    await insurance.payable(identity, holder)
    await _pay_a_contribution(insurance)
    await _owe_and_pay(DebtRegisterClient(links["social_insurance"], "T0000001"), identity)
    platform = CardPlatformClient(links["card_platform"])
    await platform.card_state(identity)
    await platform.internal_authentication_ok(identity, bytes(16), bytes(16))
    await platform.external_authentication(identity, bytes(8))
    await platform.notice_pin_changed(identity.card_number, NOON.isoformat(), "key-0002")
    await platform.notice_pin_changed(identity.card_number, NOON.isoformat(), "key-0002")
    await platform.notice_pins_changed([PinChange("key-0003", identity.card_number, NOON.isoformat())])
    await platform.report_loss(LostCard(card_number=identity.card_number), NOON.isoformat(), "key-0004")
    await platform.withdraw_loss(identity, "key-0005")
    await AgencyDutyClient(links["agency_duty"]).call_staff("一楼大厅", "menu", "482913", "resident_asked")
    for name, link in links.items():
        await link.call("GET", "/v1/health")
        documented = {
            operation["operationId"] for path in document(name)["paths"].values() for operation in path.values()
        }
        assert documented - set(link.operations) <= {"verifyCertificate", "keepReceiptRecord"}


async def _pay_a_contribution(insurance: SocialInsuranceClient) -> None:
    """By somebody for whom no employer pays; told twice, it is one."""
    card, holder = card_of(DEMO, "zhao_min")
    wanted = next(one for one in await insurance.payable(card, holder) if not one.paid)
    told = (card, wanted.kind, wanted.year, wanted.grades_fen[0], NOON, "key-0006")
    number = await insurance.contribute(*told)
    assert await insurance.contribute(*told) == number
    with pytest.raises(HostRefused, match="not_reconciled_yet"):
        await insurance.contributions_detail((NOON.date(), NOON.date()))
    before = NOON.date() - timedelta(days=1)
    assert await insurance.contributions_detail((before, before)) == ()


async def _owe_and_pay(register: DebtRegisterClient, card: CardIdentity) -> None:
    debt = await register.register(card, Fen(1_000), "contribution", "key-0007")
    await register.give_back(await register.reserve(debt, "key-0008"), "key-0008")
    await register.reserve(debt, "key-0009")
    await register.confirm(debt, Fen(1_000), "key-0009")
    assert await register.of_card(card) == ()


async def test_refusals_are_documented(links: dict[str, DocumentedLink], weather: Weather) -> None:
    """Every no that a resident can meet is a problem document of a documented status."""
    identity, holder = card_of(DEMO, "li_jianguo")
    stranger = CardIdentity(bytes(16), "ZZZZZZZZZ", "2.00", None, None, bytes(17))
    insurance = SocialInsuranceClient(links["social_insurance"])
    with pytest.raises(HostRefused, match="no_such_person"):
        await insurance.overview(stranger, holder)
    with pytest.raises(HostRefused, match="holder_differs"):
        await insurance.overview(identity, card_of(DEMO, "zhao_min")[1])
    with pytest.raises(HostRefused, match="no_benefits"):
        await insurance.issue_certificate(identity, holder, CertificateKind.BENEFIT, "key-0001")
    with pytest.raises(HostRefused, match="no_such_card"):
        await CardPlatformClient(links["card_platform"]).card_state(stranger)
    weather.change(nobody_at_desk=True)
    with pytest.raises(OutcomeUnknown):
        await AgencyDutyClient(links["agency_duty"]).call_staff("hall", "menu", "482913", "resident_asked")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"card_number": 1}', b"x" * 100_000])
@pytest.mark.parametrize("path", ["/v1/overview", "/v1/certificates", "/v1/nothing"])
def test_sandboxes_answer_anything(tmp_path: Path, pki: Pki, body: bytes, path: str) -> None:
    """Whatever a terminal sends, a sandbox answers with a problem document and never falls over."""
    sandbox = open_host("social_insurance", DEMO, tmp_path, pki)
    reply = sandbox.answer(Ask("POST", path, body))
    assert 400 <= reply.status < 500
    assert reply.content_type == "application/problem+json"
    sandbox.close()


async def test_anyone_can_compare_a_certificate(tmp_path: Path, pki: Pki, fonts: Path) -> None:
    """The public page shows the content for number and check code, and nothing for a wrong code."""
    (tmp_path / "fonts").symlink_to(fonts)
    agency = open_host("social_insurance", DEMO, tmp_path, pki, clock=lambda: NOON, verify_base="https://check/verify")
    page = open_host("certificate_check", DEMO, tmp_path, pki)
    identity, holder = card_of(DEMO, "rare_ji")
    client = SocialInsuranceClient(DocumentedLink(agency))
    certificate = await client.issue_certificate(identity, holder, CertificateKind.INSURANCE, "key-0001")
    code = certificate.verify_at.rsplit("=", 1)[1]
    assert certificate.verify_at == f"https://check/verify/{certificate.number}?code={code}"
    assert certificate.issued_on == date(2026, 11, 21)
    shown = page.answer(Ask("GET", f"/verify/{certificate.number}", query={"code": code}))
    assert shown.status == 200
    assert holder.name in shown.body.decode()
    hidden = page.answer(Ask("GET", f"/verify/{certificate.number}", query={"code": "0" * 16}))
    assert hidden.status == 404
    assert holder.name not in hidden.body.decode()
    agency.close()
    page.close()


async def test_books_survive_a_restart(tmp_path: Path, pki: Pki, fonts: Path) -> None:
    """After a power cut at the agency the same key still gives the same certificate, and notices stay booked."""
    (tmp_path / "fonts").symlink_to(fonts)
    identity, holder = card_of(DEMO, "wang_xiulan")
    issued = []
    for _ in range(2):
        agency = open_host("social_insurance", DEMO, tmp_path, pki, clock=lambda: NOON)
        client = SocialInsuranceClient(DocumentedLink(agency))
        issued.append(await client.issue_certificate(identity, holder, CertificateKind.RIGHTS_RECORD, "key-0001"))
        agency.close()
        platform = open_host("card_platform", DEMO, tmp_path, pki)
        notice = CardPlatformClient(DocumentedLink(platform))
        await notice.notice_pin_changed(identity.card_number, NOON.isoformat(), "key-0002")
        booked = platform.pin_changes()  # type: ignore[attr-defined]  # the host is opened by name
        platform.close()
    assert issued[0] == issued[1]
    assert booked == [("key-0002", identity.card_number)]
