"""Commands to the card through the maker's library: bank application and staff card in a reader of PIN mode A."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from drivers.card_reader.ldt33.codes import NO_ANSWER
from drivers.card_reader.ldt33.commanding import CommandingCardReader
from drivers.card_reader.ldt33.contact import POWERED, CardContact, NotPassed, _checked
from drivers.card_reader.ldt33.library import LibraryUnusable, VendorLibrary
from drivers.pin_entry import make_pin_entry
from kiosk.basics.log import JsonLog
from kiosk.domain.card import PinResult, PinTemplate, PinVerdict
from kiosk.ports import CardGone, DeviceFault
from kiosk.ports.debit import CardDeclined, DebitReader
from kiosk.ports.staff import StaffCardReader
from kiosk.staff.certificate import check_certificate, check_signature
from simulators.cards import bank_keys
from simulators.cards.card import VirtualCard
from simulators.cards.reader_with_pad import ReaderWithPad
from simulators.native.build import build
from simulators.pki import Pki, make_pki
from simulators.worlds.world import BankAccount, Card
from tests.bank.stand import CARD_RULES
from tests.cards.stand import KEYS, RESIDENT, make_card
from tests.cards.test_debit import ACT, PAN, bank_card
from tests.cards.test_staff_card import CHALLENGE, make_staff
from tests.cards.vendor_stand import Tray, vendor_reader

NOW = datetime.now(UTC)
SIX = PinTemplate(digits_min=6, digits_max=6, entry_s_max=20.0)
SOON_S = 10.0


@dataclass
class Vendor:
    reader: CommandingCardReader
    simulated: ReaderWithPad
    tray: Tray

    def pull(self) -> None:
        self.tray.card = None
        self.simulated.card_out()


@pytest.fixture
async def vendor(tmp_path: Path) -> AsyncIterator[Vendor]:
    tray = Tray()
    async with vendor_reader(tmp_path, tray, KEYS, icc_device="USB1") as (driver, simulated):
        assert isinstance(driver, CommandingCardReader)
        yield Vendor(driver, simulated, tray)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("spec", ["2.00", "3.00"])
async def test_a_whole_payment_in_the_vendors_reader(vendor: Vendor, spec: str) -> None:
    """T=0 and T=1: identity by LD/T 33, then the bank application to its TC, while the kiosk watches the slot."""
    card = vendor.tray.card = bank_card(spec)
    identity = await vendor.reader.read_identity()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(vendor.reader.wait_no_card)  # polls at the connector between the steps
        run = await vendor.reader.open_debit(CARD_RULES, ACT)
        assert run.account.pan == PAN
        await trio.sleep(0.1)
        await run.request()
        await trio.sleep(0.1)
        assert card.debit
        moment = card.debit._moment
        proof = bank_keys.arpc(moment.session, moment.cryptogram, b"00") + b"00"
        assert (await run.finish("00", bytes.fromhex("910A") + proof)).approved
        nursery.cancel_scope.cancel()
    assert await vendor.reader.same_card(identity)


async def test_any_function_of_the_library_ends_a_payment(vendor: Vendor) -> None:
    """Reading the holder selects another application: nothing of the payment goes on after it."""
    vendor.tray.card = bank_card("2.00")
    run = await vendor.reader.open_debit(CARD_RULES, ACT)
    await vendor.reader.read_holder()
    with pytest.raises(CardGone):
        await run.request()
    await run.abandon()
    assert vendor.reader.card_present


async def test_the_same_card_put_in_again_is_another_insertion(vendor: Vendor) -> None:
    """A card that was out between two polls has no power, and nothing of a payment is sent to it."""
    card = vendor.tray.card = bank_card("2.00")
    run = await vendor.reader.open_debit(CARD_RULES, ACT)
    vendor.pull()
    with pytest.raises(CardGone):
        await run.request()
    vendor.tray.card = card
    with pytest.raises(CardGone):
        await run.request()
    assert await (await vendor.reader.open_debit(CARD_RULES, ACT)).request()


async def test_swapped_faster_than_it_is_asked(vendor: Vendor) -> None:
    """Out and in between two steps, with no poll between them: the connector has no power, and the run is over."""
    card = vendor.tray.card = bank_card("2.00")
    run = await vendor.reader.open_debit(CARD_RULES, ACT)
    vendor.pull()
    vendor.tray.card = card
    with pytest.raises(CardGone):
        await run.request()


async def test_cards_that_cannot_pay(vendor: Vendor) -> None:
    """No bank application is the card's own word; no card, or a mute one, is CardGone."""
    vendor.tray.card = make_card()
    with pytest.raises(CardDeclined, match="no_application"):
        await vendor.reader.open_debit(CARD_RULES, ACT)
    for card in (None, make_card(mute=True)):
        vendor.tray.card = card
        with pytest.raises(CardGone):
            await vendor.reader.open_debit(CARD_RULES, ACT)


async def test_the_vendors_reader_tells_staff_from_residents(vendor: Vendor, pki: Pki) -> None:
    """A staff card is one, a card of neither kind is foreign, and a resident's signs nothing."""
    assert isinstance(vendor.reader, StaffCardReader)
    vendor.tray.card = make_staff(pki)
    with pytest.raises(DeviceFault) as staff:
        await vendor.reader.read_identity()
    assert staff.value.health.reason == "card_staff"
    found = await vendor.reader.read_staff_card()
    assert check_certificate(found.certificate_der, pki.staff_ca, NOW).staff_id == "1001"
    check_signature(found.certificate_der, CHALLENGE, await vendor.reader.staff_signature(CHALLENGE))
    assert await vendor.reader.same_card(found.identity)
    vendor.tray.card = make_card()
    assert not await vendor.reader.same_card(found.identity)
    with pytest.raises(DeviceFault) as foreign:
        await vendor.reader.read_staff_card()
    assert foreign.value.health.reason == "card_foreign"


async def test_a_staff_pin_at_the_readers_own_pad(vendor: Vendor, pki: Pki) -> None:
    """Mode A for staff: typed at the reader, judged by the card, and the kiosk hears a verdict."""
    vendor.tray.card = make_staff(pki)
    found = await vendor.reader.read_staff_card()
    entry = make_pin_entry("A", vendor.reader, None, {}, JsonLog())

    async def type_in(digits: str) -> None:
        with trio.fail_after(SOON_S):
            while not vendor.simulated.pad.lit:
                await trio.sleep(0.01)
        for key in (*digits, "enter"):
            vendor.simulated.pad.press(key)

    async def verify(digits: str) -> PinVerdict:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(type_in, digits)
            return await entry.verify_chip_pin(found.identity, SIX, lambda stars: None)

    assert (await verify("111111")).result is PinResult.WRONG
    assert (await verify("135790")).result is PinResult.OK


async def test_without_the_name_of_the_reader_nothing_is_passed_on(tmp_path: Path, pki: Pki) -> None:
    """A library without these functions: no bank application is offered, and a staff card is a foreign card."""
    tray = Tray()
    tray.card = make_staff(pki)
    async with vendor_reader(tmp_path, tray, KEYS) as (driver, _):
        assert not hasattr(driver, DebitReader.open_debit.__name__)
        with pytest.raises(DeviceFault) as foreign:
            await driver.read_identity()
        assert foreign.value.health.reason == "card_foreign"


class GivenUp(VirtualCard):
    """A chip at whose first command the one who asked goes away. The simulated reader is in the same event loop."""

    seen = 0
    scope = trio.CancelScope()

    def transmit(self, apdu: bytes) -> bytes:
        self.seen += 1
        self.scope.cancel()
        return super().transmit(apdu)


async def test_a_job_that_is_given_up_stops_before_its_next_command(vendor: Vendor) -> None:
    """Cancelled between two commands: no more of them reach the card, and the next job begins from a reset."""
    entry = Card(handle="c", title="t", resident="r")
    card = GivenUp(entry, RESIDENT, KEYS, account=BankAccount(card="c", pan=PAN))
    vendor.tray.card = card
    with card.scope:
        await vendor.reader.open_debit(CARD_RULES, ACT)
    assert card.scope.cancelled_caught and card.seen == 1
    vendor.tray.card = bank_card("2.00")
    assert await (await vendor.reader.open_debit(CARD_RULES, ACT)).request()


async def test_a_reader_that_is_unplugged_ends_its_driver(tmp_path: Path) -> None:
    """-11: the wait for a card ends with the fault, so that the visit does, and the supervisor opens the slot anew."""
    tray = Tray()
    with pytest.RaisesGroup(pytest.RaisesExc(DeviceFault, match="vendor_-11")):
        async with vendor_reader(tmp_path, tray, KEYS, icc_device="USB1") as (driver, _):
            (tmp_path / "reader.sock").unlink()
            with pytest.raises(DeviceFault):
                await driver.wait_card()
            await trio.sleep(SOON_S)


async def test_a_reader_of_another_name_is_a_fault_in_words(tmp_path: Path) -> None:
    """The installer wrote a name that the library does not know: the slot says so, and nobody waits for a card."""
    began = False
    with pytest.RaisesGroup(pytest.RaisesExc(DeviceFault, match="vendor_-14")):
        async with vendor_reader(tmp_path, Tray(), KEYS, icc_device="COM9"):
            began = True
    assert not began


def test_a_library_that_lacks_these_functions_says_so(tmp_path: Path) -> None:
    """The C library has no ICC_Reader_Open: the installer named a reader where none can be reached."""
    with pytest.raises(LibraryUnusable):
        CardContact(VendorLibrary(Path("libc.so.6")), "USB1", 1).open()
    with pytest.raises(LibraryUnusable):
        CardContact(VendorLibrary(build("ldt33_standin", tmp_path)), "USB1", 1).status()


@pytest.mark.parametrize(("result", "code"), [(-2, -2), (0xFFFFFFFE, -2), (-4, NO_ANSWER), (0, NO_ANSWER)])
def test_codes_come_with_or_without_their_sign(result: int, code: int) -> None:
    """Makers return an int where the specification says long: 0xFFFFFFFE is -2. No bytes are no answer."""
    with pytest.raises(NotPassed) as refused:
        _checked(result)
    assert refused.value.code == code
    assert _checked(0x7F00_1234_5678) == 0x7F00_1234_5678 and POWERED == 0
