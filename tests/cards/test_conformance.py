"""Both card reader drivers against the suite that any driver must pass."""

import io
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from kiosk.basics.log import JsonLog
from kiosk.domain.health import Health
from kiosk.ports import CardGone, CardNotGenuine, DeviceContext, DeviceFault
from simulators.cards.card import VirtualCard
from tests.cards.stand import KEYS, NAME, NUMBER, CardStand, Hsm, make_card
from tests.cards.vendor_stand import Tray, vendor_reader
from tests.conformance import card_reader_suite as suite


def _cards(spec: str) -> dict[str, VirtualCard]:
    return {
        "genuine": make_card("genuine", spec=spec),
        "other": make_card("other", spec=spec),
        "counterfeit": make_card("counterfeit", spec=spec, counterfeit=True),
    }


@pytest.mark.parametrize("spec", ["2.00", "3.00"])
async def test_the_pcsc_driver_conforms(stand: CardStand, spec: str) -> None:
    """The PC/SC driver with the HSM as authority."""
    cards = _cards(spec)

    async def insert(which: str) -> None:
        await stand.slot.insert(cards[which])

    await suite.check_all(suite.Bench(stand.reader, Hsm(), insert, stand.slot.remove, NAME, NUMBER))


@pytest.mark.parametrize("icc_device", ["", "USB1"])
@pytest.mark.parametrize("spec", ["2.00", "3.00"])
async def test_the_vendor_driver_conforms(tmp_path: Path, spec: str, icc_device: str) -> None:
    """The LD/T 33 driver, passing commands to the card or not; its library checks cards by the PSAM in the reader."""
    tray, cards = Tray(), _cards(spec)

    async def insert(which: str) -> None:
        tray.card = cards[which]

    async def pull() -> None:
        tray.card = None

    async with vendor_reader(tmp_path, tray, KEYS, icc_device=icc_device) as (driver, _):
        await suite.check_all(suite.Bench(driver, Hsm(), insert, pull, NAME, NUMBER))


async def test_the_hsm_steps_open_a_third_generation_card(tmp_path: Path) -> None:
    """A reader without PSAM: -2201, then Step1, the province's HSM, Step2."""
    tray = Tray()
    tray.card = make_card(spec="3.00")
    async with vendor_reader(tmp_path, tray, None) as (driver, _):
        assert (await driver.read_identity()).identification_code == tray.card.identification_code
        with pytest.raises(CardNotGenuine):
            await driver.read_holder()
        await driver.prove_genuine(Hsm())
        assert (await driver.read_holder()).social_security_number == NUMBER


async def test_without_psam_an_older_card_cannot_be_checked(tmp_path: Path) -> None:
    """Spec 2.00 and no PSAM: no authority, nothing personal."""
    tray = Tray()
    tray.card = make_card()
    async with vendor_reader(tmp_path, tray, None) as (driver, _):
        with pytest.raises(CardNotGenuine) as refused:
            await driver.prove_genuine(Hsm())
        assert refused.value.reason == "no_authority"


async def test_a_mute_card_in_the_vendors_reader(tmp_path: Path) -> None:
    """-4: there is a card and it does not answer, which is another page than a card that was pulled."""
    tray = Tray()
    tray.card = make_card(mute=True)
    async with vendor_reader(tmp_path, tray, KEYS) as (driver, _):
        with pytest.raises(DeviceFault) as mute:
            await driver.read_identity()
        assert mute.value.health.reason == "card_mute"
        with pytest.raises(CardGone):
            await driver.read_holder()


async def test_a_library_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    """library_missing, for the supervisor and the staff."""
    (found,) = entry_points(group="yikatong.drivers", name="ldt33")
    context = DeviceContext("card_reader", list[Health]().append, JsonLog(io.StringIO()), tmp_path)
    with pytest.raises(DeviceFault) as fault:
        await found.load()({"library": str(tmp_path / "none.so")}, context).run()
    assert fault.value.health.reason == "library_missing"
