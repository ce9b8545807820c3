"""Platform and hospital over real mutual TLS: what goes over the wire, and what the wire does to it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.domain.settlement import InsuredPerson, MedicalBill
from kiosk.hosts.hospital.client import DebtRegisterClient, HospitalClient
from kiosk.hosts.medical_insurance.client import MedicalInsuranceClient
from kiosk.hosts.medical_insurance.connect import connect
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.settings.config import HostSettings, Settings, Terminal
from kiosk.settings.medical_rules import MedicalInsuranceRules
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox
from simulators.hosts.medical_insurance_signing import TEST_ID, TEST_SECRET
from tests.hosts.conftest import Town
from tests.hosts.medical import treatment_of

IMPATIENT_S = 0.5


class Money:
    """A terminal's three clients in a town."""

    def __init__(self, town: Town, folder: Path, signing: str) -> None:
        self.town = town
        self._folder = folder
        self._rules = MedicalInsuranceRules(signing=signing, signing_id=TEST_ID, signing_secret=TEST_SECRET)
        self.platform = self.client()
        self.hospital = HospitalClient(town.link("hospital"))
        self.debts = DebtRegisterClient(town.link("hospital"))

    def client(self, host: HostSettings | None = None) -> MedicalInsuranceClient:
        settings = Settings(
            run_dir="run",
            data_dir=str(self._folder),
            terminal=Terminal(terminal_id="T0000001"),
            medical_insurance=self._rules,
        )
        platform = self.town.sandboxes["medical_insurance"]
        return connect(settings, self.town.link("medical_insurance", host), platform.clock)

    async def person_and_bill(self, handle: str) -> tuple[InsuredPerson, MedicalBill]:
        card, holder = self.town.identity(handle), self.town.holder(handle)
        (bill,) = await self.hospital.unpaid_bills(card, holder)
        return await self.platform.person(card, holder), bill

    async def impatient(self) -> MedicalInsuranceClient:
        """Signed on while the weather was fair."""
        client = self.client(self.town.settings("medical_insurance", deadline_s=IMPATIENT_S))
        await client.sign_on()
        return client


@pytest.mark.parametrize("signing", ["front_end", "gateway", "sm"])
async def test_a_bill_from_claim_to_invoice(town: Town, tmp_path: Path, signing: str) -> None:
    """Bills, claim, person, quote, settlement, notice: over TLS, in every signing family, without any other call."""
    money = Money(town, tmp_path / "data", signing)
    person, bill = await money.person_and_bill("wang_xiulan")
    claim = await money.hospital.claim(bill, "lease-1")
    quote = await money.platform.quote(person, bill, True, money.platform.new_message_id())
    made = await money.platform.settle(person, bill, True, money.platform.new_message_id())
    assert made.split.same_money(quote)
    assert quote.total_fen == bill.total_fen == 59_980
    invoice = await money.hospital.notify_paid(claim, made, "account", "notice-1")
    assert invoice.address.startswith("https://")
    assert await money.hospital.unpaid_bills(town.identity("wang_xiulan"), town.holder("wang_xiulan")) == ()


async def test_booked_and_then_silent(town: Town, tmp_path: Path) -> None:
    """The platform books, the answer never comes: unknown; later 5203 knows, and 2601 ends it."""
    money = Money(town, tmp_path / "data", "gateway")
    person, bill = await money.person_and_bill("chen_ji")
    client, message_id = await money.impatient(), money.platform.new_message_id()
    town.weather.change(drop_answer=True, only=frozenset({"medical_insurance"}))
    with pytest.raises(OutcomeUnknown):
        await client.settle(person, bill, True, message_id)
    town.weather.clear()
    found = await money.platform.find(treatment_of(person, bill), message_id)
    assert found is not None
    assert found.split.disagreements == ()
    await money.platform.reverse(treatment_of(person, bill), message_id, "2207", money.platform.new_message_id())
    assert await money.platform.find(treatment_of(person, bill), message_id) is None


async def test_an_answer_that_comes_late_is_not_heard(town: Town, tmp_path: Path) -> None:
    """An answer after the deadline is silence: unknown, although it was booked."""
    money = Money(town, tmp_path / "data", "gateway")
    person, bill = await money.person_and_bill("chen_ji")
    client, message_id = await money.impatient(), money.platform.new_message_id()
    town.weather.change(answer_late_s=4 * IMPATIENT_S)
    with pytest.raises(OutcomeUnknown):
        await client.settle(person, bill, True, message_id)
    town.weather.clear()
    assert await money.platform.find(treatment_of(person, bill), message_id) is not None


Storm = dict[str, bool]


@pytest.mark.parametrize("storm", [{"garbage": True}, {"error_500": True}, {"down": True}])
async def test_bad_weather_is_unknown(town: Town, tmp_path: Path, storm: Storm) -> None:
    """Garbage, an error of the server and a closed port each leave every act unknown, never done and never refused."""
    money = Money(town, tmp_path / "data", "gateway")
    person, bill = await money.person_and_bill("chen_ji")
    claim = await money.hospital.claim(bill, "lease-1")
    made = await money.platform.settle(person, bill, True, money.platform.new_message_id())
    debt = await money.debts.register(town.identity("chen_ji"), Fen(100), "change", "debt-1")
    town.weather.change(**storm)
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: money.platform.settle(person, bill, True, money.platform.new_message_id()),
        lambda: money.platform.void(person, made, money.platform.new_message_id()),
        lambda: money.platform.find(treatment_of(person, bill), made.message_id),
        lambda: money.hospital.extend(claim),
        lambda: money.hospital.notify_paid(claim, made, "cash", "notice-1"),
        lambda: money.debts.reserve(debt, "payout-1"),
        lambda: money.debts.confirm(debt, Fen(100), "payout-1"),
    ]
    for act in acts:
        with pytest.raises(OutcomeUnknown):
            await act()


async def test_the_sandboxes_are_the_towns(town: Town, tmp_path: Path) -> None:
    """The window pays while the terminal has settled: the notice is refused, and the platform knows both sides."""
    money = Money(town, tmp_path / "data", "front_end")
    hospital, platform = town.sandboxes["hospital"], town.sandboxes["medical_insurance"]
    assert isinstance(hospital, HospitalSandbox)
    assert isinstance(platform, MedicalInsuranceSandbox)
    person, bill = await money.person_and_bill("chen_ji")
    claim = await money.hospital.claim(bill, "lease-1")
    made = await money.platform.settle(person, bill, True, money.platform.new_message_id())
    hospital.pay_at_window(bill.bill_id)
    with pytest.raises(HostRefused, match="paid_elsewhere"):
        await money.hospital.notify_paid(claim, made, "cash", "notice-1")
    await money.platform.void(person, made, money.platform.new_message_id())
    assert platform.platform.live(person.person_number, bill.visit_number) == []


async def test_nobody_is_named_in_the_log(town: Town, tmp_path: Path) -> None:
    """What the links log carries neither names nor numbers of people, cards, visits or settlements."""
    money = Money(town, tmp_path / "data", "gateway")
    person, bill = await money.person_and_bill("wang_xiulan")
    await money.platform.quote(person, bill, True, money.platform.new_message_id())
    logged = "\n".join(town.logged)
    assert "host_call" in logged
    secrets = (person.person_number, bill.visit_number, bill.bill_id, "990001195103080268", "Y00000016", "王秀兰")
    assert [secret for secret in secrets if secret in logged] == []
