"""What a terminal offers: one entry for each service, in the order of the menu."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kiosk.domain.text import Text, say
from kiosk.money.debt_payout import owes_here
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.refundable import refund_waits
from kiosk.ports import Journal, Kiosk, Outcome
from kiosk.services.change_pin import NEEDS as CHANGE_PIN_NEEDS
from kiosk.services.change_pin import change_pin
from kiosk.services.collect_money import NEEDS as COLLECT_MONEY_NEEDS
from kiosk.services.collect_money import collect_money
from kiosk.services.collect_receipt import NEEDS as COLLECT_RECEIPT_NEEDS
from kiosk.services.collect_receipt import collect_receipt
from kiosk.services.pay_contributions import NEEDS as PAY_CONTRIBUTIONS_NEEDS
from kiosk.services.pay_contributions import pay_contributions
from kiosk.services.pay_inpatient_deposit import NEEDS as PAY_INPATIENT_DEPOSIT_NEEDS
from kiosk.services.pay_inpatient_deposit import pay_inpatient_deposit
from kiosk.services.print_certificate import NEEDS as PRINT_CERTIFICATE_NEEDS
from kiosk.services.print_certificate import print_certificate
from kiosk.services.query_account import NEEDS as QUERY_ACCOUNT_NEEDS
from kiosk.services.query_account import query_account
from kiosk.services.report_loss import NEEDS as REPORT_LOSS_NEEDS
from kiosk.services.report_loss import report_loss
from kiosk.services.settle_medical_bill import NEEDS as SETTLE_MEDICAL_BILL_NEEDS
from kiosk.services.settle_medical_bill import settle_medical_bill
from kiosk.services.take_refund import NEEDS as TAKE_REFUND_NEEDS
from kiosk.services.take_refund import take_refund
from kiosk.settings.config import Settings


def _nothing_waits(journal: Journal, card_number: str) -> bool:
    return False


def _receipt_waits(journal: Journal, card_number: str) -> bool:
    return bool(receipts_owed(journal, card_number))


@dataclass(frozen=True)
class ServiceEntry:
    """One tile of the menu, where the terminal has these hosts and slots; a fitted slot may still be out of order.

    ``ways``: slots and hosts of which one is enough, such as a cash module or a bank.
    ``waits``: whether something waits here for the holder of a card. Its tile then stands first and says so, and no
    more than that: who reads it over a shoulder learns no amount. With ``if_waiting`` it has no tile else,
    unless one of the hosts of ``elsewhere`` may know of something that waits.
    """

    name: str
    label: Text
    icon: str
    needs: tuple[str, ...]
    run: Callable[[Kiosk], Awaitable[Outcome]]
    hosts: tuple[str, ...] = ()
    fitted: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    waits: Callable[[Journal, str], bool] = _nothing_waits
    if_waiting: bool = False
    elsewhere: tuple[str, ...] = ()

    def offered(self, settings: Settings) -> bool:
        if settings.services and self.name not in settings.services and self.waits is _nothing_waits:
            return False  # what somebody is owed is given back whatever a city offers
        there = {*settings.slots, *settings.hosts}
        by_some_way = not self.ways or bool(there & set(self.ways))
        return set(self.hosts) <= set(settings.hosts) and set(self.fitted) <= set(settings.slots) and by_some_way

    def slots(self, settings: Settings) -> tuple[str, ...]:
        """Which slots it cannot do without here. In PIN mode A the card reader has a pad of its own."""
        return tuple(slot for slot in self.needs if slot != "pin_pad" or settings.pin_mode != "A")

    def stands_always(self, settings: Settings) -> bool:
        return not self.if_waiting or bool(set(self.elsewhere) & set(settings.hosts))

    @property
    def moves_notes(self) -> bool:
        return "cash_acceptor" in (*self.fitted, *self.ways)


SERVICES = (
    ServiceEntry("query_account", say("Check balances"), "account", QUERY_ACCOUNT_NEEDS, query_account),
    ServiceEntry(
        "print_certificate", say("Print a certificate"), "certificate", PRINT_CERTIFICATE_NEEDS, print_certificate
    ),
    ServiceEntry("change_pin", say("Change the PIN"), "pin", CHANGE_PIN_NEEDS, change_pin),
    ServiceEntry(
        "settle_medical_bill",
        say("Pay a medical bill"),
        "sheet",
        SETTLE_MEDICAL_BILL_NEEDS,
        settle_medical_bill,
        hosts=("hospital", "medical_insurance"),
        ways=("cash_acceptor", "bank"),
    ),
    ServiceEntry(
        "pay_inpatient_deposit",
        say("Pay an inpatient deposit"),
        "bed",
        PAY_INPATIENT_DEPOSIT_NEEDS,
        pay_inpatient_deposit,
        hosts=("hospital",),
        ways=("cash_acceptor", "bank"),
    ),
    ServiceEntry(
        "pay_contributions",
        say("Pay contributions"),
        "calendar",
        PAY_CONTRIBUTIONS_NEEDS,
        pay_contributions,
        hosts=("social_insurance",),
        fitted=("cash_acceptor",),
    ),
    ServiceEntry("report_loss", say("Report the card as lost"), "card", REPORT_LOSS_NEEDS, report_loss),
    ServiceEntry(
        "collect_money",
        say("Collect your money"),
        "note",
        COLLECT_MONEY_NEEDS,
        collect_money,
        fitted=("cash_acceptor",),
        waits=owes_here,
    ),
    ServiceEntry(
        "collect_receipt",
        say("Print your receipt"),
        "receipt",
        COLLECT_RECEIPT_NEEDS,
        collect_receipt,
        waits=_receipt_waits,
        if_waiting=True,
        elsewhere=("hospital",),
    ),
    ServiceEntry(
        "take_refund",
        say("Get your refund"),
        "note",
        TAKE_REFUND_NEEDS,
        take_refund,
        hosts=("hospital",),
        ways=("cash_acceptor", "bank"),
        waits=refund_waits,
        if_waiting=True,
    ),
)
