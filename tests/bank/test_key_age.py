"""How old the working keys in the pad are, as the fleet hears it."""

import pytest
from msgspec import structs

from kiosk.agent.for_agent import ForAgent
from kiosk.domain.money import Fen
from kiosk.hosts.not_connected import NotConnected
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.settings.bank_rules import BankRules
from kiosk.settings.config import HostSettings
from provisioning.rules.poll import WorkingKeys
from provisioning.terminal.health import keys_of
from tests.bank.stand import BankStand
from tests.flows.test_opening import kiosk_of


async def test_keys_have_an_age_from_sign_on_to_the_first_doubt(stand: BankStand) -> None:
    """None before, seconds after; an answer whose MAC is wrong makes them void."""
    assert stand.client.keys_age_s is None
    await stand.client.sign_on()
    age_s = stand.client.keys_age_s
    assert age_s is not None and 0 <= age_s < 60
    stand.weather.change(bad_mac=True)
    with pytest.raises(OutcomeUnknown):
        await stand.pay(Fen(1000))
    assert stand.client.keys_age_s is None


class Signed:
    """A bank that somebody signed on at a day and an hour ago."""

    keys_age_s = 90_000.7


@pytest.mark.parametrize(
    ("bank", "age_s"), [(Signed(), 90_000), (NotConnected("bank", "trace_counter"), None)], ids=["old", "unusable"]
)
async def test_the_fleet_hears_how_old_they_are(bank: object, age_s: int | None) -> None:
    """With the age that they may have; nothing at all where there is no bank."""
    kiosk = kiosk_of({})
    agent = ForAgent(kiosk.desk, lambda: 0, lambda: None, "0.1.0")
    assert keys_of(await agent.health()) == {}
    hosts = {"bank": HostSettings("tls://127.0.0.1:1")}
    kiosk.desk.settings = structs.replace(kiosk.desk.settings, hosts=hosts, bank=BankRules(key_age_s_max=86_400))
    kiosk.desk.bank = bank  # type: ignore[assignment]  # all of a bank that is asked here
    assert keys_of(await agent.health()) == {"bank": WorkingKeys(age_s=age_s, age_s_max=86_400)}


async def test_keys_that_custodians_typed_anew_are_signed_on_under_again(stand: BankStand) -> None:
    """In doubt nothing is loaded, not even asked for; once it is confirmed the keys of before are none any more."""
    await stand.client.sign_on()
    assert stand.client.keys_age_s is not None
    loaded = list(stand.pad.pad.commands).count(0x33)
    stand.typed_under = None
    assert stand.client.keys_age_s is None
    with pytest.raises(HostRefused, match="key_in_doubt"):
        await stand.pay(Fen(1000))
    assert list(stand.pad.pad.commands).count(0x33) == loaded
    assert stand.balance_fen == 100_000
    stand.typed_under = 2
    assert stand.client.keys_age_s is None
    await stand.pay(Fen(1000))
    assert list(stand.pad.pad.commands).count(0x33) == loaded + 2
    assert stand.client.keys_age_s is not None
