"""The kiosk put together on its outside, and kept running: the same for the real world and for a simulated one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.clock import SystemClock
from kiosk.devices import sams
from kiosk.devices.headset import FollowJack
from kiosk.devices.lamps import LitScreen
from kiosk.devices.supervisor import Attend, FindDriver, Supervisor
from kiosk.domain.settlement import HOSPITAL
from kiosk.hosts.agency.client import AgencyDutyClient
from kiosk.hosts.bank.asking import Line as WayToBank
from kiosk.hosts.bank.client import Desk as BankDesk
from kiosk.hosts.bank.connect import connect_bank
from kiosk.hosts.bank.terminal import TraceCounterBroken
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.card_platform.codec import states_from_settings
from kiosk.hosts.hospital.client import DebtRegisterClient, HospitalClient
from kiosk.hosts.link import HttpsHostLink
from kiosk.hosts.links import host_links, medical_insurance, not_connected
from kiosk.hosts.social_insurance.client import SocialInsuranceClient
from kiosk.money.bank_record import NUMBERED, JournalBankRecord, numbers_of
from kiosk.money.cash_books import CASH_SLOTS, CashBooks
from kiosk.money.debts import AGENCY, DebtRegisters
from kiosk.money.drive_bank import keep_bank_driven
from kiosk.money.offline_limits import NO_DOCUMENTS, OfflineLimits
from kiosk.money.platform_acts import SENT, message_id_of
from kiosk.ports import HostLink, Log, SealVerifier
from kiosk.ports.money import Bank
from kiosk.ports.offline import OfflineDocuments
from kiosk.ports.staff import OtherCopies, TerminalBooks
from kiosk.settings.config import Settings
from kiosk.staff.typed_keys import bank_keys_under
from kiosk.staff.watch_places import keep_comparing_places
from kiosk.visit.desk import Desk
from kiosk.visit.fittings import MakePinEntry
from kiosk.visit.session import serve_residents
from offline_queue.agency_keys import document_keys
from offline_queue.journal import SqliteJournal

HOSTS = ("social_insurance", "card_platform", "agency")
MONEY_HOSTS = ("hospital", "medical_insurance")  # a hall has neither: what the settings do not name is not connected
FIRST_TRY_S = 8.0  # devices that have not answered by then keep trying while residents are already served


@dataclass(frozen=True)
class Outside:
    """All that a kiosk touches, given from outside: the real world by ``run_kiosk``, another one by a simulation."""

    log: Log
    clock: SystemClock
    journal: SqliteJournal
    terminal_books: TerminalBooks
    links: Mapping[str, HostLink]
    screen: Any  # a ports.Screen with a ``run`` that reports when it stands
    find_driver: FindDriver
    make_pin_entry: MakePinEntry
    seal_verifier: SealVerifier
    bank_line: WayToBank | None = None  # None: this terminal has no bank
    other_copies: OtherCopies | None = None
    documents: OfflineDocuments = NO_DOCUMENTS
    sam_watch: sams.SamWatch | None = None  # None: no list of blocked PSAMs comes here
    time_confirmed: Callable[[], bool] = lambda: True


def compose(settings: Settings, outside: Outside) -> Desk:
    """Put the kiosk together on its outside; nothing runs yet."""
    clock, journal, log, links = outside.clock, outside.journal, outside.log, outside.links
    clock.case_code_known = journal.case_code_known
    card_platform = CardPlatformClient(links["card_platform"], states_from_settings(settings.card_states))
    cash_books = CashBooks(journal, clock, settings.slots)
    at_hospital = (links["hospital"], settings.terminal.terminal_id) if "hospital" in links else None
    hospital = HospitalClient(*at_hospital) if at_hospital else None
    screen = LitScreen(outside.screen)
    attendants: dict[str, Attend] = {
        **{slot: partial(cash_books.attend, slot) for slot in CASH_SLOTS},
        "lights": screen.attend,
        "headset": FollowJack(outside.screen).attend,
        **({sams.SLOT: outside.sam_watch.attend} if outside.sam_watch else {}),
    }
    find, run_dir, production = outside.find_driver, Path(settings.run_dir), settings.production
    desk = Desk(
        settings=settings,
        clock=clock,
        journal=journal,
        log=log,
        screen=screen,
        supervisor=Supervisor(
            settings.slots, find, log, run_dir, settings.pin_mode, card_platform, attendants, production
        ),
        social_insurance=SocialInsuranceClient(links["social_insurance"], settings.terminal.terminal_id),
        card_platform=card_platform,
        duty=AgencyDutyClient(links["agency"]),
        seal_verifier=outside.seal_verifier,
        make_pin_entry=outside.make_pin_entry,
        hospital=hospital or not_connected("hospital"),
        debt_register=_debt_registers(settings, links),
        medical_insurance=medical_insurance(
            settings, links, clock.now, log, newest_id=message_id_of(journal.last(*SENT))
        ),
        bank=not_connected("bank"),
        lend_cash=cash_books.lent,
        terminal_books=outside.terminal_books,
        statements=hospital,
        aside=journal.outbox,
        other_copies=outside.other_copies,
    )
    desk.offline = OfflineLimits(journal, clock, outside.documents, lambda: desk.visit, outside.time_confirmed)
    if outside.bank_line is not None:
        desk.bank = _bank(desk, outside.bank_line)
    return desk


async def serve(
    desk: Desk, journal: SqliteJournal, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Keep the devices, the bank and the residents; started once a card is served. What else hosts must be told is the
    forwarder's."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.supervisor.run)
        if "bank" in desk.settings.hosts:
            nursery.start_soon(keep_bank_driven, journal, desk.bank, desk.log, lambda: desk.live_case)
        if set(CASH_SLOTS) & desk.settings.slots.keys():
            nursery.start_soon(keep_comparing_places, desk, lambda: desk.live_case)
        with trio.move_on_after(FIRST_TRY_S):
            await desk.supervisor.wait_tried()
        await nursery.start(serve_residents, desk)
        # Yesterday's accounts can wait until somebody can be served: they load what speaks to hosts.
        task_status.started()


def _debt_registers(settings: Settings, links: Mapping[str, HostLink]) -> DebtRegisters:
    hosts = [host for host in (HOSPITAL, AGENCY) if host in links]
    return DebtRegisters({host: DebtRegisterClient(links[host], settings.terminal.terminal_id) for host in hosts})


def _bank(desk: Desk, line: WayToBank) -> Bank:
    """Works with whatever fills the slots now, and writes under the visit that is going on."""
    told = BankDesk(
        reader=lambda: desk.supervisor.device("card_reader"),
        pad=lambda: desk.supervisor.device("pin_pad"),
        record=JournalBankRecord(desk.journal, lambda: (desk.live_case, desk.live_card)),
        clock=desk.clock,
        log=desk.log,
        progress=desk.screen.stars,
        keys_under=lambda: bank_keys_under(desk.journal, desk.settings),
    )
    try:
        return connect_bank(desk.settings, line, told, numbers_of(desk.journal.last(*NUMBERED)))
    except TraceCounterBroken as broken:
        desk.log("bank_unusable", error=type(broken).__name__)
        unusable: Bank = not_connected("bank", "trace_counter")
        return unusable


def kiosk_links(settings: Settings, log: Log) -> dict[str, HttpsHostLink]:
    """To every host that the kiosk itself asks; the bank's line is another matter."""
    return host_links(settings, log, HOSTS, MONEY_HOSTS)


def agencys_keys(settings: Settings) -> Mapping[str, Ed25519PublicKey]:
    """Who may sign its documents; nobody where none come. Raises ConfigError."""
    return document_keys(settings.agency_keys) if settings.offline.documents else {}
